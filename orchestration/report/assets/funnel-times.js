// Charts of time: how long visits last, and the curves behind it.
"use strict";

(() => {
  const {
    between, count, duration, figure, isNarrow, known, lines, percent, safe, withAlpha,
  } = window.report;
  const view = window.report.view;
  const { period, segment, ofCell, stageName, nothing } = view;

  const TICKS = [
    [1, "1 s"], [10, "10 s"], [60, "1 min"], [600, "10 min"], [3600, "1 h"], [21600, "6 h"], [86400, "1 day"],
    [259200, "3 days"], [604800, "1 week"], [2592000, "30 days"], [7776000, "90 days"], [31557600, "1 year"],
  ];
  // An axis of time whose steps are factors, as waits go from seconds to months.
  function timeAxis(shortest, longest, extra = {}) {
    const [least, most] = [Math.log10(Math.max(1, shortest)), Math.log10(Math.max(2, longest))];
    const pad = Math.max(0.1, 0.05 * (most - least));
    const range = [least - pad, most + pad];
    let ticks = TICKS.filter(([at]) => Math.log10(at) >= range[0] && Math.log10(at) <= range[1]);
    const room = isNarrow() ? 5 : 10;
    if (ticks.length > room) ticks = ticks.filter(([at]) => [1, 60, 3600, 86400, 2592000, 31557600].includes(at));
    return {
      type: "log", range, tickvals: ticks.map(([at]) => at), ticktext: ticks.map(([, text]) => text), tickangle: 0, ...extra,
    };
  }

  figure("fig-times", (colour) => {
    const order = (row) => view.funnel.stages.findIndex((stage) => stage.stage_id === row.from_stage_id);
    const name = (row) => stageName(row.from_stage_id);
    const here = ofCell("times").filter((row) => row.completed && known(row.p50)).sort((a, b) => order(a) - order(b));
    if (!here.length) return ofCell("conversion").length ? { empty: "No visit of this period and segment has ended." } : nothing();
    const floor = (value) => Math.max(1, value);
    const line = (low, high, width, color) => ({
      type: "scatter", mode: "lines", hoverinfo: "skip", line: { color, width },
      x: here.flatMap((row) => [floor(row[low]), floor(row[high]), null]),
      y: here.flatMap((_, index) => [index, index, null]), showlegend: false,
    });
    const sure = here.filter((row) => row.p50_is_reportable);
    const slowest = (sure.length ? sure : here).reduce((most, row) => (row.p50 > most.p50 ? row : most));
    const ends = here.flatMap((row) => [floor(row.p10), floor(row.p90)]);
    const told = here.map((row) =>
      `${safe(name(row))}<br>median ${duration(row.p50)} (${duration(row.p50_low)} to ${duration(row.p50_high)})` +
      `<br>middle half ${duration(row.p25)} to ${duration(row.p75)}<br>${count(row.completed)} ended, ${count(row.censored)} still last`);
    const corrected = here.filter((row) => known(row.survival_p50));
    return {
      n: `n = ${count(here.reduce((sum, row) => sum + row.completed, 0))} visits that ended`,
      said: `Visits to ${name(slowest)} last longest: half of ${count(slowest.completed)} took more than ${duration(slowest.p50)}.`,
      height: 110 + 46 * here.length,
      data: [
        line("p10", "p90", 2, colour.grey), line("p25", "p75", 10, withAlpha(colour.blue, 0.45)),
        {
          type: "scatter", mode: "markers", name: "median of those that ended", y: here.map((_, index) => index),
          x: here.map((row) => floor(row.p50)), hoverinfo: "text", hovertext: told,
          marker: { size: 12, color: here.map((row) => (row.p50_is_reportable ? colour.blue : colour.card)), line: { color: colour.blue, width: 2 } },
        },
        {
          type: "scatter", mode: "markers", name: "corrected for open ones", hoverinfo: "text",
          y: corrected.map((row) => here.indexOf(row)), x: corrected.map((row) => floor(row.survival_p50)),
          hovertext: corrected.map((row) => `${safe(name(row))}, corrected: ${duration(row.survival_p50)} of ${count(row.waits)}`),
          marker: { size: 9, symbol: "diamond-open", color: colour.orange, line: { width: 2 } },
        },
      ],
      layout: {
        showlegend: true,
        xaxis: timeAxis(Math.min(...ends), Math.max(...ends)),
        yaxis: {
          range: [here.length - 0.5, -0.5], tickvals: here.map((_, index) => index),
          ticktext: here.map((row) => `${lines(name(row), isNarrow() ? 12 : 18)}<br><span style="color:${colour.soft}">n=${count(row.completed)}</span>`),
        },
      },
      table: {
        columns: [
          ["Stage", name], ["Ended", "completed", count], ["Still last", "censored", count],
          ["10%", "p10", duration], ["25%", "p25", duration], ["Median", "p50", duration], ["at least", "p50_low", duration],
          ["at most", "p50_high", duration], ["75%", "p75", duration], ["90%", "p90", duration],
          ["Corrected median", "survival_p50", duration], ["Stalled now", "stalled", count],
        ],
        rows: here,
      },
    };
  });

  const dashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid", "dash"];
  const paints = (colour) => [colour.blue, colour.orange, colour.green, colour.purple, colour.yellow, colour.grey];

  function curves(colour, event, side, isLeft, words) {
    const isLost = (row) => view.funnel.stages.some((stage) => stage.stage_id === row[side] && stage.stage_kind === "lost");
    const here = ofCell("curves").filter((row) => row.event === event && !isLost(row));
    if (!here.length) {
      return {
        empty: period() && segment() ? "Curves are kept by segment for all time, and by period for everybody; not for both at once."
          : view.funnel.periods[period()][0] === "week" ? "Weeks have no curves: choose a month or more." : nothing().empty,
      };
    }
    const order = (row) => view.funnel.stages.findIndex((stage) => stage.stage_id === row[side]);
    here.sort((a, b) => order(a) - order(b));
    const longest = Math.max(...here.map((row) => row.points[row.points.length - 1][0]), 1);
    const [size, unitName] = [[86400, "days"], [3600, "hours"], [60, "minutes"], [1, "seconds"]].find(([s]) => longest >= 2 * s) || [1, "seconds"];
    // Where one curve is done in a hundredth of the time of another, only factors show both.
    const halfway = (row) => row.points.find(([, , share]) => share >= row.points[row.points.length - 1][2] / 2)[0];
    const isLog = Math.min(...here.map(halfway)) < longest / 100;
    const shortest = Math.max(1, Math.min(...here.map((row) => row.points[0][0])));
    const at = (seconds) => (isLog ? Math.max(shortest, seconds) : seconds / size);
    const value = (share) => (known(share) ? (isLeft ? 1 - share : share) : null);
    const data = [];
    here.forEach((row, index) => {
      const color = paints(colour)[index % 6];
      const start = isLeft ? 1 : 0;
      const x = [at(0), ...row.points.map(([seconds]) => at(seconds))];
      const band = row.points.filter((point) => known(point[3]) && known(point[4]));
      if (band.length) {
        // The band is a staircase, too: each value holds until the next.
        const stairs = (part) => band.flatMap((point, step) => [
          ...(step ? [[at(point[0]), value(band[step - 1][part])]] : [[at(0), start], [at(point[0]), start]]),
          [at(point[0]), value(point[part])],
        ]);
        const outline = [...stairs(3), ...stairs(4).reverse()];
        data.push({
          type: "scatter", mode: "lines", x: outline.map(([when]) => when), y: outline.map(([, share]) => share), fill: "toself",
          fillcolor: withAlpha(color, 0.1), line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: String(index),
        });
      }
      data.push({
        type: "scatter", mode: "lines", name: `${safe(stageName(row[side]))} (n=${count(row.waits)})`, legendgroup: String(index),
        x, y: [start, ...row.points.map((point) => value(point[2]))], line: { color, width: 2.5, shape: "hv", dash: dashes[index % 8] },
        hoverinfo: "text",
        hovertext: [`${safe(stageName(row[side]))}, at the start`, ...row.points.map((point) =>
          `${safe(stageName(row[side]))}<br>after ${duration(point[0])}: ${percent(value(point[2]))}<br>${count(point[1])} were being waited for`)],
      });
    });
    return {
      n: `n = ${count(Math.max(...here.map((row) => row.waits)))} at most, each curve's beside its name`,
      said: words(here, value),
      height: 380 + 22 * Math.ceil(here.length / (isNarrow() ? 1 : 2)),
      data,
      layout: {
        showlegend: true, legend: { orientation: "h", x: 0, xanchor: "left", y: -0.22, yanchor: "top" },
        xaxis: isLog
          ? timeAxis(shortest, longest, { title: { text: "time, in factors", standoff: 4 } })
          : { title: { text: unitName, standoff: 4 }, rangemode: "tozero" },
        yaxis: { tickformat: ".0%", range: isLeft ? [0, 1.02] : undefined, rangemode: "tozero" },
      },
      table: {
        columns: [
          ["Stage", "name"], ["After", "seconds", duration], [isLeft ? "Still there" : "Reached", "share", percent],
          ["at least", "low", percent], ["at most", "high", percent], ["Waited for", "at_risk", count], ["n", "waits", count],
        ],
        rows: here.flatMap((row) => row.points.map(([seconds, at_risk, share, low, high]) => ({
          name: stageName(row[side]), seconds, share: value(share), low: value(isLeft ? high : low), high: value(isLeft ? low : high),
          at_risk, waits: row.waits,
        }))),
      },
    };
  }

  figure("fig-left", (colour) => curves(colour, "left", "from_stage_id", true, (here) => {
    const half = (row) => (row.points.find(([, , share]) => share >= 0.5) || [null])[0];
    const open = here.filter((row) => view.funnel.stages.find((stage) => stage.stage_id === row.from_stage_id)?.stage_kind === "open");
    const never = open.filter((row) => !known(half(row)));
    if (never.length) return `More than half are still in ${never.map((row) => stageName(row.from_stage_id)).join(", ")} where the curve ends.`;
    if (!open.length) return "";
    const row = open.reduce((most, one) => (half(one) > half(most) ? one : most));
    return `Slowest is ${stageName(row.from_stage_id)}: half of ${count(row.waits)} have left it after ${duration(half(row))}, those still there taken into account.`;
  }));

  figure("fig-arrived", (colour) => curves(colour, "reached", "to_stage_id", false, (here, value) => {
    const row = here[here.length - 1];
    const [seconds, , share, low, high] = row.points[row.points.length - 1];
    return `Within ${duration(seconds)}, ${between(value(share), low, high)} reach ${stageName(row.to_stage_id)}, open journeys taken into account.`;
  }));
})();
