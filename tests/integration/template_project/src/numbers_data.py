import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, TensorDataset


class NumbersDataModule(LightningDataModule):
    def __init__(self, rows: int, batch_size: int) -> None:
        super().__init__()
        self.rows = rows
        self.batch_size = batch_size

    def _loader(self) -> DataLoader[tuple[torch.Tensor, ...]]:
        data = TensorDataset(torch.randn(self.rows, 4), torch.randn(self.rows, 1))
        return DataLoader(data, batch_size=self.batch_size)

    def train_dataloader(self) -> DataLoader[tuple[torch.Tensor, ...]]:
        return self._loader()

    def val_dataloader(self) -> DataLoader[tuple[torch.Tensor, ...]]:
        return self._loader()
