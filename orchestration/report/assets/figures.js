// What all charts share: how figures are written, the colours of the moment, and how a chart is put
// beside its number, its words and its table. Text from data only ever becomes text.
"use strict";

window.report = (() => {
  const whole = new Intl.NumberFormat("en-US");
  const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
  const figures = [];

  // ---- figures as people read them

  const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);
  const count = (value) => (known(value) ? whole.format(value) : "–");
  const percent = (value) => (known(value) ? `${(100 * value).toFixed(1)}%` : "–");
  const number = (value) => (known(value) ? whole.format(Math.round(10 * value) / 10) : "–");
  const compact = (value) => (known(value) ? short.format(value) : "–");
  const between = (rate, low, high) =>
    known(rate) ? `${percent(rate)} (${percent(low)} to ${percent(high)})` : "–";
  const points = (value) =>
    known(value) ? `${value > 0 ? "+" : value < 0 ? "−" : "±"}${Math.abs(100 * value).toFixed(1)}` : "–";

  const UNITS = [
    [31557600, "year"], [86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"],
  ];
  function duration(seconds) {
    if (!known(seconds)) return "–";
    const [size, unit] = UNITS.find(([size]) => seconds >= size) || UNITS[UNITS.length - 1];
    const value = seconds / size;
    const text = value >= 10 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "");
    return `${text} ${unit}${text === "1" ? "" : "s"}`;
  }

  // ---- data

  // The rows of a table as objects, made once.
  function rows(table) {
    if (!table.objects) {
      table.objects = table.rows.map((row) =>
        Object.fromEntries(table.columns.map((name, index) => [name, row[index]]))
      );
    }
    return table.objects;
  }

  // Load a file of data, once; `then` is called when it is there.
  function load(thing, then) {
    const use = () => {
      const data = window.reportData[thing.file];
      // Behind the link to the current release, a night may have put another one meanwhile.
      if (data.release_id === window.reportData["catalogue.js"].release_id) then(data);
      else trouble("Another release has been published since this page was opened. Load the page again.");
    };
    if (window.reportData[thing.file]) return use();
    const script = document.createElement("script");
    script.src = `data/${thing.file}`;
    script.onload = use;
    script.onerror = () => trouble(`The file data/${thing.file} of this report cannot be read.`);
    document.head.append(script);
  }

  function trouble(text) {
    const place = document.getElementById("trouble");
    place.textContent = text;
    place.hidden = false;
  }

  // ---- text in charts

  // Plotly reads some tags in texts; a name is never one.
  const safe = (text) =>
    String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  // A name in lines of at most so many letters, broken between words where that can be.
  function lines(text, most = 16) {
    const made = [""];
    for (const word of String(text).split(" ")) {
      const last = made[made.length - 1];
      if (last && last.length + 1 + word.length > most) made.push(word);
      else made[made.length - 1] = last ? `${last} ${word}` : word;
    }
    const cut = made.map((line) => (line.length > most + 6 ? `${line.slice(0, most + 5)}…` : line));
    return cut.slice(0, 3).map(safe).join("<br>");
  }

  // ---- the page of the moment

  const isNarrow = () => window.innerWidth < 600;
  function colours() {
    const style = getComputedStyle(document.documentElement);
    const names = [
      "page", "card", "ink", "soft", "line", "blue", "pale", "orange", "green", "grey", "purple",
      "yellow", "heat-low", "heat-high",
    ];
    return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  }

  function withAlpha(colour, alpha) {
    const part = (from) => parseInt(colour.slice(from, from + 2), 16);
    return `rgba(${part(1)}, ${part(3)}, ${part(5)}, ${alpha})`;
  }

  function layoutOf(colour, own) {
    const axis = {
      fixedrange: true, automargin: true, ticks: "", gridcolor: colour.line, linecolor: colour.line, zeroline: false,
      tickfont: { size: isNarrow() ? 11 : 12 }, title: { standoff: 8 },
    };
    const layout = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour.ink },
      margin: { l: 8, r: 22, t: 8, b: 8 }, dragmode: false, hovermode: "closest", showlegend: false,
      hoverlabel: { bgcolor: colour.card, bordercolor: colour.grey, font: { color: colour.ink, size: 13 }, align: "left" },
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", font: { size: 12 } },
      ...own,
    };
    for (const name of Object.keys(layout).filter((name) => /^[xy]axis/.test(name))) {
      layout[name] = { ...axis, ...layout[name] };
    }
    return layout;
  }

  // ---- a chart with all that belongs to it

  // `make` gives { n, said, data, layout, height, table } for the data and colours of the moment, or
  // { empty } where there is nothing to draw.
  function figure(id, make) {
    figures.push({ id, make });
  }

  function draw({ id, make }) {
    const host = document.getElementById(id);
    const plot = host.querySelector(".plot");
    const colour = colours();
    const made = make(colour);
    const title = host.querySelector("h3").textContent;
    host.querySelector(".n").textContent = made.n || "";
    host.querySelector(".said").textContent = made.empty ? "" : made.said || "";
    plot.setAttribute("aria-label", `${title}. ${made.n || ""}. ${made.empty || made.said || ""}`);
    plot.classList.toggle("empty", Boolean(made.empty));
    if (made.empty) {
      Plotly.purge(plot);
      plot.style.height = plot.style.minWidth = "";
      plot.textContent = made.empty;
    } else {
      if (!plot.classList.contains("js-plotly-plot")) plot.textContent = "";
      plot.style.height = `${made.height}px`;
      plot.style.minWidth = made.minWidth ? `${made.minWidth}px` : "";
      Plotly.react(plot, made.data, layoutOf(colour, { height: made.height, ...made.layout }), {
        displayModeBar: false, responsive: true,
      });
    }
    const details = host.querySelector("details");
    details.hidden = !made.table;
    if (made.table) {
      details.querySelector(".scroll").replaceChildren(table(title, made.table));
    }
  }

  // A table of { columns: [[label, key, how]], rows }; `how` writes a number, without one it is text.
  function table(caption, { columns, rows }) {
    const element = (name, parent, text) => {
      const made = document.createElement(name);
      if (text !== undefined) made.textContent = text;
      parent.append(made);
      return made;
    };
    const made = document.createElement("table");
    made.className = "figures";
    element("caption", made, caption).className = "unseen";
    const head = element("tr", element("thead", made));
    for (const [label, , how] of columns) {
      const cell = element("th", head, label);
      cell.scope = "col";
      if (how) cell.className = "number";
    }
    const body = element("tbody", made);
    for (const row of rows) {
      const line = element("tr", body);
      columns.forEach(([, key, how], index) => {
        const value = typeof key === "function" ? key(row) : row[key];
        const cell = element(index ? "td" : "th", line, how ? how(value) : known(value) ? value : "–");
        if (!index) cell.scope = "row";
        if (how) {
          cell.className = "number";
          cell.dataset.value = known(value) ? value : "";
        }
      });
    }
    return made;
  }

  function tiles(shown) {
    document.getElementById("tiles").replaceChildren(
      ...shown.map(([label, value, note]) => {
        const tile = document.createElement("div");
        tile.className = "tile";
        for (const [text, name] of [[label, ""], [value, "value"], [note, ""]]) {
          const part = document.createElement("p");
          part.className = name;
          part.textContent = text;
          tile.append(part);
        }
        return tile;
      })
    );
  }

  // Draw all charts, or those of these ids.
  function redraw(ids) {
    figures.filter(({ id }) => !ids || ids.includes(id)).forEach(draw);
    // For whoever waits for the page: tests, and printing from a command line.
    document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn || 0) + 1);
  }

  // ---- filters

  // Fill a select with [value, label] pairs or { group, options } of such, and keep the choice.
  function fill(select, choices, chosen) {
    const option = ([value, label]) => {
      const made = document.createElement("option");
      made.value = value;
      made.textContent = label;
      return made;
    };
    select.replaceChildren(
      ...choices.map((choice) => {
        if (Array.isArray(choice)) return option(choice);
        const group = document.createElement("optgroup");
        group.label = choice.group;
        group.append(...choice.options.map(option));
        return group;
      })
    );
    if ([...select.options].some((made) => made.value === String(chosen))) select.value = chosen;
    return select.value;
  }

  // The state of the filters stands in the address, so that it can be sent to somebody.
  function stored(names) {
    const asked = new URLSearchParams(window.location.search);
    return Object.fromEntries(names.map((name) => [name, asked.get(name)]));
  }

  function store(state) {
    const kept = new URLSearchParams();
    for (const [name, value] of Object.entries(state)) if (known(value)) kept.set(name, value);
    try {
      window.history.replaceState(null, "", `?${kept}${window.location.hash}`);
    } catch {
      // Some browsers refuse this to pages opened from disk; the page works without.
    }
  }

  // ---- what else lets charts be drawn anew

  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
  let wasNarrow = isNarrow();
  window.addEventListener("resize", () => {
    if (isNarrow() !== wasNarrow) {
      wasNarrow = isNarrow();
      redraw();
    }
  });
  window.addEventListener("beforeprint", () => {
    document.documentElement.classList.add("paper");
    redraw();
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("paper");
    redraw();
  });

  return {
    between, colours, compact, count, duration, figure, fill, isNarrow, known, lines, load, number, percent,
    points, redraw, rows, safe, store, stored, table, tiles, trouble, withAlpha,
  };
})();
