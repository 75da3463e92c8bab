"use strict";
(() => {
  const make = (tag, text, parent, css) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (css) made.className = css;
    parent.append(made);
    return made;
  };

  // Printed, everything that is folded away stands open.
  const folded = () => [...document.querySelectorAll("details:not([open])")];
  let opened = [];
  addEventListener("beforeprint", () => { opened = folded(); opened.forEach((one) => { one.open = true; }); });
  addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));

  const tree = document.querySelector(".tree");
  if (tree && tree.querySelector("details details")) {
    const controls = document.createElement("div");
    controls.className = "controls";
    tree.before(controls);
    const button = make("button", "Open all", controls);
    button.type = "button";
    button.addEventListener("click", () => {
      const open = button.textContent === "Open all";
      tree.querySelectorAll("details").forEach((one) => { one.open = open || one.dataset.open === "1"; });
      button.textContent = open ? "Close all" : "Open all";
    });
  }

  const chart = document.querySelector(".timeline:not(.ranks)");
  const source = document.getElementById("timeline-data");
  if (!chart || !source) return;
  const data = JSON.parse(source.textContent);
  const sums = (steps) => { let sum = 0; return steps.map((step) => (sum += step)); };
  data.series.forEach((one) => { one.t = sums(one.t); });
  const memory = data.memory ? data.memory.lines : [];
  memory.forEach((one) => { one.t = sums(one.t); one.mib = sums(one.mib); });

  const digits = (value) => (value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : Math.round(value).toLocaleString("en"));
  const clock = (value, below, of, above) => {
    let whole = Math.floor(value / of), rest = Math.round(value % of);
    if (rest === of) { whole += 1; rest = 0; }
    return `${whole} ${above} ${String(rest).padStart(2, "0")} ${below}`;
  };
  const time = (ms) => {
    if (ms < 0.9995) return `${digits(ms * 1e3)} µs`;
    if (ms < 999.5) return `${digits(ms)} ms`;
    if (ms < 59950) return `${digits(ms / 1e3)} s`;
    return ms < 3599500 ? clock(ms / 1e3, "s", 60, "min") : clock(ms / 6e4, "min", 60, "h");
  };
  const bytes = (mib) => (mib < 1023.5 ? `${digits(mib)} MiB` : `${digits(mib / 1024)} GiB`);

  const plot = chart.querySelector(".plot");
  const svg = (name, attributes, parent) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    parent.append(made);
    return made;
  };

  // Zoom: the drawings change their view box, what stands beside them its place.
  let from = 0, to = data.end;
  const share = (ms) => (ms - from) / (to - from);
  const placed = [...chart.querySelectorAll("[data-x]")];
  const ticks = plot.querySelector(".ticks");
  const step = (least) => {
    const steps = [1, 2, 5, 10].map((one) => one * 10 ** Math.floor(Math.log10(least))).concat([6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5]);
    return Math.min(...steps.filter((one) => one >= least * 0.999)) || least;
  };
  const look = (start, end) => {
    [from, to] = [start, end];
    const units = (ms) => (ms / data.end) * 100000;
    chart.querySelectorAll(".zoom").forEach((one) => {
      const height = one.getAttribute("viewBox").split(" ")[3];
      one.setAttribute("viewBox", `${units(from)} 0 ${units(to) - units(from)} ${height}`);
    });
    placed.forEach((one) => {
      const x = share(one.dataset.x * data.end);
      one.setAttribute(one.tagName === "circle" ? "cx" : "x", `${x * 100}%`);
      one.toggleAttribute("hidden", x < 0 || x > 1);
      one.setAttribute("visibility", x < -0.0005 || x > 1.0005 ? "hidden" : "visible");
    });
    const y = ticks.dataset.y;
    ticks.replaceChildren();
    const every = step((to - from) / Math.max(2, Math.min(8, plot.clientWidth / 90)));
    for (let at = Math.ceil(from / every) * every; at <= to; at += every) {
      const text = svg("text", { x: `${share(at) * 100}%`, y, "text-anchor": share(at) > 0.96 ? "end" : "middle" }, ticks);
      text.textContent = time(at).replace(/(\.\d*?)0+(?= )/, "$1").replace(/\.(?= )/, "").replace(/ 00 (s|min)$/, "").replace("NaN", "0");
    }
    if (from === 0 && ticks.firstChild) ticks.firstChild.textContent = "0 s";
  };

  const training = data.passes.filter((one) => one[0] === "train");
  const stretches = training.map((one, place) => [one[1], one[2], place + 1 < training.length ? training[place + 1][2] : Math.max(one[3], ...data.passes.filter((other) => other[2] >= one[2]).map((other) => other[3]))]);
  let select = null;
  if (stretches.length > 1) {
    const controls = document.createElement("div");
    controls.className = "controls";
    chart.prepend(controls);
    const label = make("label", "Show ", controls);
    select = document.createElement("select");
    label.append(select);
    make("option", "the whole run", select).value = "";
    stretches.forEach(([epoch], place) => { make("option", `epoch ${epoch}`, select).value = place; });
    select.addEventListener("change", () => {
      const chosen = stretches[select.value];
      if (select.value === "" || !chosen) look(0, data.end); else look(chosen[1], chosen[2]);
    });
  }

  // Hover: a line through all lanes, and what is there.
  const cross = svg("line", { class: "cross", y1: 0, y2: plot.getAttribute("height"), visibility: "hidden" }, plot);
  const tip = make("div", "", chart, "tip");
  tip.hidden = true;
  const nearest = (sorted, value) => {
    let low = 0, high = sorted.length - 1;
    while (low < high) { const middle = (low + high) >> 1; if (sorted[middle] < value) low = middle + 1; else high = middle; }
    return low > 0 && value - sorted[low - 1] < sorted[low] - value ? low - 1 : low;
  };
  const row = (name, value) => { const made = make("div", "", tip); make("span", name, made); make("b", value, made); };
  const hide = () => { tip.hidden = true; cross.setAttribute("visibility", "hidden"); };
  const show = (at, clientX, clientY) => {
    const box = plot.getBoundingClientRect();
    if (at < from || at > to) { hide(); return; }
    tip.replaceChildren();
    row("at", time(at));
    const inside = data.passes.filter((one) => one[2] <= at && at <= one[3]);
    const here = inside[inside.length - 1];
    if (here) row(here[0] === "train" ? "training" : here[0], `epoch ${here[1]}`);
    const reach = ((to - from) / box.width) * 12;
    data.series.forEach((one) => {
      const place = nearest(one.t, at);
      const far = Math.abs(one.t[place] - at);
      if (far > Math.max(reach, one.d[place])) return;
      if (one.n) row(`${one.n[place]} ${one.name} batches`, `${time(one.low[place])} to ${time(one.high[place])}, median ${time(one.d[place])}`);
      else row(`${one.name} batch`, time(one.d[place]));
    });
    memory.forEach((one) => row(one.name, bytes(one.mib[nearest(one.t, at)])));
    tip.hidden = false;
    cross.setAttribute("visibility", "visible");
    cross.setAttribute("x1", `${share(at) * 100}%`);
    cross.setAttribute("x2", `${share(at) * 100}%`);
    const outer = chart.getBoundingClientRect();
    const x = clientX - outer.left;
    tip.style.left = `${Math.max(4, Math.min(outer.width - tip.offsetWidth - 4, x + (x > outer.width / 2 ? -tip.offsetWidth - 14 : 14)))}px`;
    tip.style.top = `${Math.min(Math.max(8, clientY - outer.top - 20), outer.height - tip.offsetHeight - 8)}px`;
  };
  const under = (event) => {
    const box = plot.getBoundingClientRect();
    return from + ((event.clientX - box.left) / box.width) * (to - from);
  };
  const point = (event) => show(under(event), event.clientX, event.clientY);
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointerleave", hide);

  // The same by keyboard: the arrow keys move the line by a hundredth of what is shown.
  const moves = { ArrowLeft: -0.01, ArrowRight: 0.01, PageUp: -0.1, PageDown: 0.1, Home: -1, End: 1 };
  let standing = 0;
  plot.setAttribute("tabindex", "0");
  plot.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight Home End");
  tip.setAttribute("role", "status");
  plot.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    if (!(event.key in moves)) return;
    event.preventDefault();
    standing = Math.max(from, Math.min(to, standing + moves[event.key] * (to - from)));
    const box = plot.getBoundingClientRect();
    show(standing, box.left + share(standing) * box.width, box.top + 60);
  });
  plot.addEventListener("blur", hide);
  plot.addEventListener("click", (event) => {
    if (!select) return;
    const at = under(event);
    const place = stretches.findIndex((one) => one[1] <= at && at < one[2]);
    select.value = select.value === "" && place >= 0 ? String(place) : "";
    select.dispatchEvent(new Event("change"));
  });
})();
