// Charts that compare: cohorts in time, and the values of a segment.
"use strict";

(() => {
  const {
    between, count, figure, isNarrow, known, lines, percent, points, rows, safe, withAlpha,
  } = window.report;
  const view = window.report.view;
  const { by, periodName, period, segment, ofCell, column, stages, nameOf, unit, NONE, UNCROSSED } = view;

  function stageOf(id) {
    const chosen = by(id).value;
    return stages().find((stage) => stage.stage_id === chosen) || stages()[stages().length - 1];
  }

  figure("fig-trend", (colour) => {
    const grain = by("trend-grain").value;
    const stage = stageOf("trend-stage");
    const cohorts = view.funnel.periods.map((one, index) => [one, index]).filter(([one]) => one[0] === grain).reverse();
    const here = cohorts.flatMap(([one, index]) =>
      ofCell("conversion", index).filter((row) => row.stage_position === stage.stage_position).map((row) => ({ ...row, cohort: periodName(one) }))
    );
    if (!here.length) return { empty: segment() ? UNCROSSED : "There is no cohort of this length yet." };
    const rate = (row, part = "") => row[`${column("overall_rate")}${part}`];
    const rated = here.filter((row) => known(rate(row)));
    const change = (row) => rows(view.funnel.differences).find((one) =>
      one.period === row.period && one.segment === row.segment && one.stage_position === row.stage_position && one.rate_name === "overall_rate");
    const immature = here.filter((row) => !row.is_mature).length;
    const changed = segment() ? [] : here.filter((row) => change(row)?.is_significant);
    const latest = [...rated].reverse().find((row) => row.is_mature) || rated[rated.length - 1];
    return {
      n: `n = ${count(here.reduce((sum, row) => sum + row[column("entered")], 0))} ${unit()} in ${count(here.length)} cohorts`,
      said: (latest ? `The latest ${latest.is_mature ? "mature " : ""}cohort, ${latest.cohort}: ${between(rate(latest), rate(latest, "_low"), rate(latest, "_high"))} of ${count(latest[column("entered")])}.` : "") +
        ` ${count(immature)} of ${count(here.length)} cohorts ${immature === 1 ? "is" : "are"} immature.` +
        (segment() ? "" : changed.length ? ` Beyond chance is the change to ${changed.map((row) => row.cohort).join(", ")}.` : " No change from one to the next is beyond chance."),
      height: 400,
      data: [
        {
          type: "scatter", mode: "lines", hoverinfo: "skip", x: rated.map((row) => row.cohort), y: rated.map((row) => rate(row)),
          line: { color: withAlpha(colour.blue, 0.35), width: 2 },
        },
        {
          type: "scatter", mode: "markers", x: rated.map((row) => row.cohort), y: rated.map((row) => rate(row)), hoverinfo: "text",
          error_y: {
            type: "data", symmetric: false, color: colour.blue, thickness: 1.6, width: 4,
            array: rated.map((row) => rate(row, "_high") - rate(row)), arrayminus: rated.map((row) => rate(row) - rate(row, "_low")),
          },
          marker: { size: 10, color: rated.map((row) => (row.is_mature ? colour.blue : colour.card)), line: { color: colour.blue, width: 2 } },
          hovertext: rated.map((row) => `${row.cohort}${row.is_mature ? "" : " (immature)"}<br>${between(rate(row), rate(row, "_low"), rate(row, "_high"))}<br>${count(row[column("reached")])} of ${count(row[column("entered")])}`),
        },
        {
          type: "bar", x: here.map((row) => row.cohort), y: here.map((row) => row[column("entered")]), yaxis: "y2", hoverinfo: "text",
          marker: {
            color: here.map((row) => (row.is_mature ? colour.grey : withAlpha(colour.grey, 0.35))),
            pattern: { shape: here.map((row) => (row.is_mature ? "" : "/")), size: 6, solidity: 0.25, fgcolor: colour.grey },
          },
          hovertext: here.map((row) => `${row.cohort}: ${count(row[column("entered")])} entered`),
        },
      ],
      layout: {
        xaxis: { type: "category", anchor: "y2", tickangle: isNarrow() || here.length > 10 ? -60 : 0 },
        yaxis: { domain: [0.36, 1], tickformat: ".1~%", rangemode: "tozero", nticks: 6, title: { text: `rate to ${lines(nameOf(stage), 22)}` } },
        yaxis2: { domain: [0, 0.26], nticks: 3, title: { text: "entered" } },
      },
      table: {
        columns: [
          ["Cohort", "cohort"], ["Mature", (row) => (row.is_mature ? "yes" : "no")], ["Reached", column("reached"), count],
          ["Entered", column("entered"), count], ["Rate", column("overall_rate"), percent],
          ["at least", `${column("overall_rate")}_low`, percent], ["at most", `${column("overall_rate")}_high`, percent],
          ...(segment() ? [] : [
            ["Points from the cohort before (mature)", (row) => change(row)?.difference, points],
            ["Beyond chance", (row) => (change(row) ? (change(row).is_significant ? "yes" : "no") : "not compared")],
          ]),
        ],
        rows: here,
      },
    };
  });

  figure("fig-segments", (colour) => {
    const name = by("segments-name").value;
    const stage = stageOf("segments-stage");
    const values = view.funnel.segments.map((one, index) => [one, index]).filter(([one]) => one[0] === name);
    const at = (s) => ofCell("conversion", period(), s).find((row) => row.stage_position === stage.stage_position);
    const rate = (row, part = "") => row[`${column("overall_rate")}${part}`];
    const here = values.map(([one, index]) => ({ ...at(index), value: one[1], adds_up: one[2] }))
      .filter((row) => known(row.reached) && known(rate(row)));
    const whole = at(0);
    if (!name) return { empty: "This funnel has no declared segments (segments.csv)." };
    if (!here.length) return { empty: period() ? UNCROSSED : NONE };
    const other = (row) => rows(view.funnel.differences).find((one) =>
      one.period === row.period && one.segment === row.segment && one.stage_position === row.stage_position && one.rate_name === "overall_rate");
    const differing = here.filter((row) => other(row)?.is_significant);
    const addsUp = here.every((row) => row.adds_up);
    return {
      n: `n = ${count(here.reduce((sum, row) => sum + row[column("entered")], 0))} ${unit()}${addsUp ? "" : ", some under several values"}`,
      said: (differing.length
        ? `Beyond chance differ from the rest: ${differing.map((row) => `${row.value} (${points(other(row).difference)} points)`).join(", ")}.`
        : "No value differs from the rest beyond chance.") +
        (addsUp ? "" : " A journey may stand under several values of this segment: they do not add up to all."),
      height: 90 + 46 * here.length,
      data: [{
        type: "scatter", mode: "markers", x: here.map((row) => rate(row)), y: here.map((_, index) => index), hoverinfo: "text",
        error_x: {
          type: "data", symmetric: false, color: colour.blue, thickness: 2, width: 5,
          array: here.map((row) => rate(row, "_high") - rate(row)), arrayminus: here.map((row) => rate(row) - rate(row, "_low")),
        },
        marker: { size: 12, color: here.map((row) => (other(row)?.is_significant ? colour.blue : colour.card)), line: { color: colour.blue, width: 2 } },
        hovertext: here.map((row) => `${safe(row.value)}<br>${between(rate(row), rate(row, "_low"), rate(row, "_high"))}<br>${count(row[column("reached")])} of ${count(row[column("entered")])}`),
      }],
      layout: {
        xaxis: { tickformat: ".1~%", rangemode: "tozero", nticks: isNarrow() ? 4 : 8, title: { text: `rate to ${lines(nameOf(stage), 22)}` } },
        yaxis: {
          range: [here.length - 0.5, -0.5], tickvals: here.map((_, index) => index),
          ticktext: here.map((row) => `${lines(row.value, isNarrow() ? 12 : 20)}<br><span style="color:${colour.soft}">n=${count(row[column("entered")])}</span>`),
        },
        shapes: whole && known(rate(whole)) ? [{
          type: "line", x0: rate(whole), x1: rate(whole), y0: 0, y1: 1, yref: "paper", line: { color: colour.orange, width: 2, dash: "dash" },
        }] : [],
      },
      table: {
        columns: [
          ["Value", "value"], ["Reached", column("reached"), count], ["Entered", column("entered"), count],
          ["Rate", column("overall_rate"), percent], ["at least", `${column("overall_rate")}_low`, percent],
          ["at most", `${column("overall_rate")}_high`, percent],
          ["Points above the rest (mature)", (row) => other(row)?.difference, points],
          ["Beyond chance", (row) => (other(row) ? (other(row).is_significant ? "yes" : "no") : "not compared")],
        ],
        rows: here,
      },
    };
  });
})();
