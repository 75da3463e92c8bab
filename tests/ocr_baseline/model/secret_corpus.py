"""Texts and configurations with secrets and without any, made from shapes when they are asked for.

No file of the project holds anything that looks like a token: the parts are joined here.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

SEED = 20261126
ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def characters(source: random.Random, alphabet: str, length: int) -> str:
    """Return random characters of all three kinds, where the alphabet has them."""
    while True:
        made = "".join(source.choices(alphabet, k=length))
        kinds = (str.islower, str.isupper, str.isdigit)
        if alphabet is not ALNUM or all(any(map(kind, made)) for kind in kinds):
            return made


def tokens() -> Iterator[tuple[str, str]]:
    """Yield the service and a token of each documented shape."""
    source = random.Random(SEED)  # noqa: S311 - examples, not keys
    shapes = {
        "github": ("gh", "p_", ALNUM, 36),
        "gitlab": ("gl", "pat-", ALNUM, 20),
        "hugging face": ("h", "f_", string.ascii_letters, 34),
        "slack": ("xo", "xb-", string.digits, 24),
        "aws": ("AK", "IA", string.ascii_uppercase + "234567", 16),
        "google": ("AI", "za", ALNUM, 35),
        "stripe": ("sk_", "live_", ALNUM, 24),
        "npm": ("np", "m_", ALNUM, 36),
        "pypi": ("py", "pi-", ALNUM, 60),
        "openai": ("s", "k-proj-", ALNUM, 40),
        "databricks": ("da", "pi", HEX, 32),
        "vault": ("hv", "s.", ALNUM, 24),
        "replicate": ("r", "8_", ALNUM, 37),
        "nvidia": ("nv", "api-", ALNUM, 60),
        "wandb": ("wandb_", "v1_", ALNUM, 40),
        "groq": ("gs", "k_", ALNUM, 52),
        "unnamed": ("", "", ALNUM, 32),
        "short unnamed": ("", "", ALNUM, 22),
    }
    for name, (first, second, alphabet, length) in shapes.items():
        yield name, first + second + characters(source, alphabet, length)


PLACES = (
    "{}",
    "fetch {} again",
    "KeyError: '{}'",
    "x = {}, y = 1",
    "op:{}",
    "https://host/path/{}?page=1",
    "run_{}",
    '{{"value": "{}"}}',
    "[a, {}]",
    "`{}`",
)
KEYED = (
    "password={}",
    "api_key:  {}",
    "DB_PASSWORD: '{}'",
    'secret = "{}"',
    "{{'client_secret': '{}'}}",
    "--password={}",
    "Settings(passphrase='{}')",
    "Settings(password=b'{}')",
    "Settings(password=SecretStr('{}'))",
    "Settings(passwords=['{}', 'x'])",
    '{{\\"api_key\\": \\"{}\\"}}',
    "https://bob:{}@host/data",
    "postgres://bob:{}@db:5432/runs",
    "https://host/x?access_token={}",
    "Authorization: Basic {}",
    "machine api.host login me password {}",
    "password:\n    {}",
    "Server=x;Uid=y;Pwd={};",
)
PASSWORDS = ("hunter2", "tr0ub4dor&3", "S3cr3tPass", "p4ssw0rd99")


def secret_texts() -> Iterator[tuple[str, str]]:
    """Yield texts, each with the secret that must not be left in it."""
    for _, token in tokens():
        for place in PLACES:
            yield place.format(token), token
    for password in PASSWORDS:
        for place in KEYED:
            yield place.format(password), password


INNOCENT_TEXTS = tuple(
    """\
basic residual_block_of_network|Basic convolution layers|the password field_detection model
tokens: 512|token: [PAD]|max_tokens=5|key: value|loss = nan at token=17|secret: santa|pwd: /tmp
auth: none|bearer instruments_of_x|sk-learn-classification-model-v2|http://host/x?tokens=3
sk-resnet50_pretrained_imagenet|resnet18 on 4 samples, lr=0.001|ratio 1:2 at 12:30:05, C:D
tokenizer: bert-base-uncased, max_tokens=512|the token of gratitude was given|password: null
data/train/images-0001.jpg|vit_base_patch16_224.augreg2_in21k_ft_in1k|tf_efficientnetv2_xl.in21k
convnext_xxlarge.clip_laion2b_soup_ft_in12k|ResNet50_Weights.IMAGENET1K_V2|EfficientNetB0V2Small
epoch=3-step=1000-val_loss=0.1234.ckpt|torch.nn.modules.conv.Conv2d|Conv2dBnRelu6x3x3
sm80_xmma_gemm_f32f32_f32f32_f32_tn_n_tilesize128x128x8_stage3|cv2.findContours
20260301T120000Z-1117a953538e-acf3ba3c.json|events.out.tfevents.1700000000.host.1234.0
run-20260301_120000-3k9x2m1p|pyclipper.PyclipperOffset.Execute|performance/val_batch_mean
sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855|commit 9637baf
NVIDIA H100 80GB HBM3|Intel(R) Xeon(R) Platinum 8480+|torch 2.4.1+cu121|python 3.11.7
batch_size=32, num_workers=4|DataLoader(num_workers=4)|train/loss_step|val/f1_macro@0.5
user@host wrote it|see https://host/a@b and c@d.e|image:v1.2@sha256:abcd|op:forward@layer1
2026-03-01T12:00:05+00:00|00:12:03.123456|1e-4|0x1f|[1, 2, 3]|{'lr': 0.1, 'name': 'adam'}
key points and key frames|secretary|authors: Ann, Bob|passes: 3|monkey|cookie cutter
${oc.env:WANDB_API_KEY}|api_key: ${oc.env:WANDB_API_KEY}|password: ******|token=<unset>
FlashAttentionForward|ScaledDotProductAttention|BatchNorm2d|cudnnConvolutionForward
aten::native_batch_norm|autograd::engine::evaluate_function|_ZN2at6native29vectorized_kernelE
callbacks:ModelCheckpoint|callbacks:LearningRateMonitor.on_train_batch_end|data_wait
receipts/2024/05/31/IMG_20240531_123456.jpg|DSC00123.JPG|mask_rcnn_R_50_FPN_3x
Qwen2.5-VL-7B-Instruct|Llama-3.1-8B-Instruct-AWQ-INT4|microsoft/trocr-base-printed
dbnet++_resnet50_dcnv2_fpnc_1200e_icdar2015|PP-OCRv4_server_det_infer|svtr_tiny_20e_st_mj
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
INNOCENT_CONFIG: dict[str, object] = {
    "tokenizer": "bert",
    "max_tokens": 512,
    "key_points": 17,
    "author": "Bob",
    "pad_token": "[PAD]",
    "eos_token": "</s>",
    "cls_token": True,
    "mask_token_id": 103,
    "token_dim": 64,
    "auth_token_embedding": 1,
    "secretary": "x",
    "cookie_cutter": "x",
    "use_auth_token": False,
    "token_drop_rate": 0.1,
    "pwd": "/work",
    "patch_token": 5,
    "num_class_token": 1,
    "basic_block": "x",
    "public_key": "abc",
    "key": "val",
    "special_tokens": ["a", "b"],
    "commit": "0123456789abcdef" * 2 + "01234567",
    "checksum": "b" * 40,
    "uuid": "0a1b2c3d-0000-4000-8000-00805f9b34fb",
    "password_field_detector": "resnet",
    "secret_weapon_model": "x",
    "password": None,
    "api_key": "",
    "auth": "none",
    "api_key_env": "WANDB_API_KEY",
    "password_file": "/run/secrets/db",
    "session": "morning",
    "cache_key": "train_v2",
    "sort_key": "loss",
    "token": "embedding",
    "secret": 12,
    "run_id": "3k9x2m1pQ7Zt4Lb8Vd2",
}


def secret_configs() -> Iterator[tuple[dict[str, object], str]]:
    """Yield configurations, each with the secret that must not be left in it."""
    random_text = characters(random.Random(SEED + 1), ALNUM, 16)  # noqa: S311 - an example
    keys = "password db_password apiKey DB_PASS pass pat pw key api.key hftoken token1 wandb_key"
    keys += " license_key session_id bearer passcode otp sas dsn webhook mytoken passwordHash"
    for key in keys.split():
        yield {key: random_text}, random_text
        yield {"a": [{key: [random_text]}]}, random_text
    for password in PASSWORDS:
        yield {"argv": ["--password", password]}, password
        yield {"argv": [f"--password={password}"]}, password
        yield {"env": [{"name": "API_KEY", "value": password}]}, password
        yield {"headers": [["Authorization", password]]}, password
        yield {"password": password.encode()}, password
        yield {"auth": ("bob", password)}, password
        yield {"secret": {"value": password}}, password
        yield {"db": {"password": password}, "note": f"uses {password} twice"}, password
