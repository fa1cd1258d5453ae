// Charts that compare: cohorts in time, the values of a segment, and those who have something with others.
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

  // More points than these cannot be read.
  const MOST = 30;
  // What stands at the axis of odds ratios.
  const CLOSE = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1, 1.2, 1.5, 2, 2.5, 3, 4, 5];
  const WIDE = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

  figure("fig-drivers", (colour) => {
    const stage = stageOf("drivers-stage");
    const here = rows(view.funnel.drivers).filter((row) => row.to_stage_position === stage.stage_position);
    if (!here.length) return { empty: "Of this step too few journeys have anything that enough others have not." };
    const name = (row) => `${row.factor_name}: ${row.factor_value}`;
    const odds = (value) => (known(value) ? value.toFixed(2) : "–");
    const isDriver = (row) => row.verdict === "more often" || row.verdict === "less often";
    const bounded = here.filter((row) => known(row.odds_ratio_low));
    const drawn = bounded.slice(0, MOST).sort((one, other) => other.odds_ratio - one.odds_ratio);
    const named = (verdict) => here.filter((row) => row.verdict === verdict).slice(0, 3).map(name).join(", ");
    const table = {
      columns: [
        ["What", name], ["Kind", "factor_kind"], ["Gets further", "verdict"],
        ["Got further", "converted", count], ["Of", "cases", count], ["Rate", "rate", percent],
        ["Others got further", "other_converted", count], ["Of others", "other_cases", count], ["Rate of others", "other_rate", percent],
        ["Odds ratio", "odds_ratio", odds], ["at least", "odds_ratio_low", odds], ["at most", "odds_ratio_high", odds],
        ["q-value", "q_value", (value) => (known(value) ? value.toFixed(3) : "–")],
      ],
      rows: here,
    };
    const n = `n = ${count(Math.max(...here.map((row) => row.cases + row.other_cases)))} mature ${view.funnel.unit}`;
    const said =
      (here.some(isDriver)
        ? [["More often get further", named("more often")], ["Less often", named("less often")]]
          .filter(([, names]) => names).map(([words, names]) => `${words}: ${names}.`).join(" ")
        : `None of ${count(here.length)} goes with it beyond chance.`) +
      (drawn.length < bounded.length ? ` Drawn are the ${count(drawn.length)} surest of ${count(bounded.length)}.` : "") +
      (bounded.length < here.length
        ? ` ${count(here.length - bounded.length)} of the table cannot be drawn: of one side all or none get further.`
        : "");
    if (!drawn.length) return { empty: said, table };
    const spread = Math.max(1, ...drawn.map((row) => row.odds_ratio_high)) / Math.min(1, ...drawn.map((row) => row.odds_ratio_low));
    return {
      n, said, table,
      height: 90 + 34 * drawn.length,
      data: [
        { type: "scatter", mode: "lines", hoverinfo: "skip", x: [1, 1], y: [-0.5, drawn.length - 0.5], line: { color: colour.orange, width: 2, dash: "dash" } },
        {
          type: "scatter", mode: "markers", x: drawn.map((row) => row.odds_ratio), y: drawn.map((_, index) => index), hoverinfo: "text",
          error_x: {
            type: "data", symmetric: false, color: colour.blue, thickness: 2, width: 5,
            array: drawn.map((row) => row.odds_ratio_high - row.odds_ratio), arrayminus: drawn.map((row) => row.odds_ratio - row.odds_ratio_low),
          },
          marker: { size: 11, color: drawn.map((row) => (isDriver(row) ? colour.blue : colour.card)), line: { color: colour.blue, width: 2 } },
          hovertext: drawn.map((row) => `${safe(name(row))}<br>${odds(row.odds_ratio)} times the odds (${odds(row.odds_ratio_low)} to ${odds(row.odds_ratio_high)})<br>` +
            `${percent(row.rate)} of ${count(row.cases)}, others ${percent(row.other_rate)} of ${count(row.other_cases)}`),
        },
      ],
      layout: {
        xaxis: {
          type: "log", tickvals: spread < 8 ? CLOSE : WIDE, tickformat: "~r",
          title: { text: `times the odds to get to ${lines(nameOf(stage), 22)}` },
        },
        yaxis: {
          range: [drawn.length - 0.5, -0.5], tickvals: drawn.map((_, index) => index),
          ticktext: drawn.map((row) => lines(name(row), isNarrow() ? 14 : 30)),
        },
      },
    };
  });
})();
