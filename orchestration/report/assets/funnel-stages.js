// Charts of a funnel's stages: who reaches each, who stops there, and what that costs.
"use strict";

(() => {
  const {
    between, compact, count, figure, isNarrow, known, lines, number, percent, safe,
  } = window.report;
  const view = window.report.view;
  const {
    catalogue, money, inFull, ofCell, column, positionName, unit, nothing, ladder, byStage, places,
    tall,
  } = view;

  // An interval for the side of a bar: as few digits as tell it apart.
  const brief = (low, high) => {
    const digits = high < 0.1 ? 1 : 0;
    return `${(100 * low).toFixed(digits)}–${(100 * high).toFixed(digits)}%`;
  };

  figure("fig-reached", (colour) => {
    const here = ladder();
    if (!here.length || !here[0][column("entered")]) return nothing();
    const last = here[here.length - 1];
    const most = here[0][column("entered")];
    const told = here.map((row) =>
      `${safe(positionName(row))}: ${count(row[column("reached")])}<br>${percent(row[column("overall_rate")])} of those who entered`
    );
    return {
      n: `n = ${count(most)} ${unit()}`,
      said: `${count(last[column("reached")])} of ${count(most)} ${unit()} got to ${positionName(last)}: ` +
        `${between(last[column("overall_rate")], last[column("overall_rate_low")], last[column("overall_rate_high")])}.`,
      height: tall(here),
      data: [
        {
          type: "bar", orientation: "h", y: places(here), x: here.map((row) => row[column("reached_previous")] ?? row[column("reached")]),
          marker: { color: colour.pale }, hoverinfo: "skip", width: 0.72,
        },
        {
          type: "bar", orientation: "h", y: places(here), x: here.map((row) => row[column("reached")]),
          marker: { color: colour.blue }, width: 0.72, hovertext: told, hoverinfo: "text",
        },
        {
          type: "scatter", mode: "text", y: places(here), hoverinfo: "skip", cliponaxis: false,
          x: here.map((row) => Math.max(row[column("reached_previous")] ?? 0, row[column("reached")])),
          text: here.map((row) =>
            ` <b>${count(row[column("reached")])}</b>  ${percent(row[column("overall_rate")])}` +
            (isNarrow() || row === here[0] ? "" : ` <span style="color:${colour.soft};font-size:12px">(${brief(row[column("overall_rate_low")], row[column("overall_rate_high")])})</span>`)
          ),
          textposition: "middle right", textfont: { color: colour.ink, size: isNarrow() ? 12 : 13 },
        },
      ],
      layout: byStage(here, {
        barmode: "overlay", bargap: 0.2,
        xaxis: { range: [0, most * (isNarrow() ? 1.95 : 1.65)], showgrid: false, showticklabels: false },
      }),
      table: {
        columns: [
          ["Stage", positionName], ["Visited", "visited", count], ["Reached", column("reached"), count],
          ["of these imputed", "imputed", count],
          ["Entered", column("entered"), count], ["Rate from entry", column("overall_rate"), percent],
          ["at least", column("overall_rate_low"), percent], ["at most", column("overall_rate_high"), percent],
        ],
        rows: here,
      },
    };
  });

  figure("fig-steps", (colour) => {
    const here = ladder().filter((row) => known(row.step_rate) || known(row.mature_step_rate));
    if (!here.length) return nothing();
    const series = (prefix, name, color, symbol, shift) => {
      const shown = here.filter((row) => known(row[`${prefix}step_rate`]));
      const rate = (row, part = "") => row[`${prefix}step_rate${part}`];
      return {
        type: "scatter", mode: "markers", name, x: shown.map((row) => rate(row)),
        y: shown.map((row) => here.indexOf(row) + shift),
        error_x: {
          type: "data", symmetric: false, color, thickness: 2, width: 5,
          array: shown.map((row) => rate(row, "_high") - rate(row)),
          arrayminus: shown.map((row) => rate(row) - rate(row, "_low")),
        },
        marker: {
          size: 11, symbol, color: shown.map((row) => (rate(row, "_is_reportable") ? color : colour.card)),
          line: { color, width: 2 },
        },
        hoverinfo: "text",
        hovertext: shown.map((row) =>
          `${safe(positionName(row))}, ${name}<br>${between(rate(row), rate(row, "_low"), rate(row, "_high"))}<br>` +
          `${count(row[`${prefix}reached`])} of ${count(row[`${prefix}reached_previous`])}`
        ),
      };
    };
    const steps = here.filter((row) => known(row[column("step_rate")]));
    const narrowest = steps.reduce(
      (least, row) => (!least || row[column("step_rate")] < least[column("step_rate")] ? row : least), null
    );
    const few = steps.filter((row) => !row[column("step_rate_is_reportable")]).length;
    const data = [series("", "all so far", colour.blue, "circle", -0.13), series("mature_", "mature only", colour.orange, "diamond", 0.13)];
    return {
      n: `n = ${steps.map((row) => count(row[column("reached_previous")])).join(", ")} at the stage before`,
      said: (narrowest
        ? `The narrowest step is to ${positionName(narrowest)}: ${between(
            narrowest[column("step_rate")], narrowest[column("step_rate_low")], narrowest[column("step_rate_high")]
          )} of ${count(narrowest[column("reached_previous")])} ${unit()} take it.`
        : `No ${unit()} have taken a step.`) +
        (few ? ` Hollow points are of fewer than ${catalogue.min_reportable}.` : ""),
      height: 90 + 52 * here.length,
      data,
      layout: {
        showlegend: true,
        xaxis: { range: [0, 1.02], tickformat: ".0%", side: "bottom", dtick: isNarrow() ? 0.5 : 0.25 },
        yaxis: {
          range: [here.length - 0.5, -0.5], tickvals: here.map((_, index) => index), showgrid: false,
          ticktext: here.map((row) =>
            `${lines(positionName(row), isNarrow() ? 12 : 18)}<br><span style="color:${colour.soft}">n=${count(row[column("reached_previous")])}</span>`
          ),
        },
      },
      table: {
        columns: [
          ["Step to", positionName],
          ["Took it", "reached", count], ["of", "reached_previous", count], ["Rate", "step_rate", percent],
          ["at least", "step_rate_low", percent], ["at most", "step_rate_high", percent],
          ["Mature took it", "mature_reached", count], ["of", "mature_reached_previous", count],
          ["Mature rate", "mature_step_rate", percent],
          ["at least", "mature_step_rate_low", percent], ["at most", "mature_step_rate_high", percent],
        ],
        rows: here,
      },
    };
  });

  // ---- where they stop

  const FATES = [
    ["advanced", "went on", "blue"], ["won", "won here", "green"], ["still_open", "still here", "grey"],
    ["abandoned", "gave up here", "yellow"], ["lost", "lost here", "orange"],
  ];

  figure("fig-stops", (colour) => {
    const here = ofCell("conversion").filter((row) => row.reached);
    if (!here.length) return nothing();
    const leaks = here.filter((row) => row.lost + row.abandoned > 0);
    const worst = leaks.reduce((most, row) => (!most || row.lost + row.abandoned > most.lost + most.abandoned ? row : most), null);
    return {
      n: `n = ${count(here[0].reached)} ${view.funnel.unit} at the first stage`,
      said: worst
        ? `Most stop at ${positionName(worst)}: ${count(worst.lost + worst.abandoned)} of ${count(worst.reached)}, ` +
          `${between(worst.drop_off_rate, worst.drop_off_rate_low, worst.drop_off_rate_high)}` +
          (worst.top_loss_reason ? `; the commonest reason given is “${worst.top_loss_reason}”.` : ".")
        : "Nobody is known to have stopped.",
      height: 100 + 50 * here.length,
      data: FATES.filter(([key]) => here.some((row) => row[key])).map(([key, name, paint]) => ({
        type: "bar", orientation: "h", name, y: places(here), x: here.map((row) => row[key] / row.reached),
        marker: { color: colour[paint], line: { color: colour.card, width: 1 } }, hoverinfo: "text", width: 0.7,
        text: here.map((row) => (row[key] / row.reached >= (isNarrow() ? 0.14 : 0.05) ? `${Math.round((100 * row[key]) / row.reached)}%` : "")),
        textposition: "inside", insidetextanchor: "middle", textangle: 0, constraintext: "none",
        insidetextfont: { size: 12 },
        hovertext: here.map((row) => `${safe(positionName(row))}: ${count(row[key])} ${name}<br>${percent(row[key] / row.reached)} of ${count(row.reached)}`),
      })),
      layout: {
        barmode: "stack", showlegend: true, xaxis: { range: [0, 1], tickformat: ".0%", dtick: 0.25 },
        yaxis: {
          ...byStage(here).yaxis,
          ticktext: here.map((row) =>
            `${lines(positionName(row), isNarrow() ? 12 : 18)}<br><span style="color:${colour.soft}">n=${count(row.reached)}</span>`),
        },
        legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", traceorder: "normal" },
      },
      table: {
        columns: [
          ["Stage", positionName], ["Reached", "reached", count], ["Went on", "advanced", count], ["Won here", "won", count],
          ["Lost here", "lost", count], ["Gave up here", "abandoned", count], ["Still here", "still_open", count],
          ["Drop-off", "drop_off_rate", percent], ["at least", "drop_off_rate_low", percent],
          ["at most", "drop_off_rate_high", percent], ["Commonest reason", "top_loss_reason"],
        ],
        rows: here,
      },
    };
  });

  figure("fig-cost", (colour) => {
    const here = ofCell("conversion").filter((row) => row.lost + row.abandoned > 0);
    const unknown = here.reduce((sum, row) => sum + row.amount_unknown, 0);
    if (!here.length) return ofCell("conversion").length ? { empty: "Nobody was lost or gave up." } : nothing();
    const table = {
      columns: [
        ["Stage", positionName], ["Lost or gave up", (row) => row.lost + row.abandoned, count],
        [`Known amount, ${catalogue.currency}`, "amount_lost", inFull], ["Amount unknown", "amount_unknown", count],
        ["Commonest reason", "top_loss_reason"],
      ],
      rows: here,
    };
    const stopped = (row) => row.lost + row.abandoned;
    const all = here.reduce((sum, row) => sum + stopped(row), 0);
    // Web visits that ended in nothing have no amount: then it is they that were lost.
    const isPriced = here.some((row) => known(row.amount_lost) && row.amount_unknown < stopped(row));
    const shown = isPriced ? here.filter((row) => known(row.amount_lost)) : here;
    const value = (row) => (isPriced ? row.amount_lost : stopped(row));
    const worst = shown.reduce((most, row) => (value(row) > value(most) ? row : most));
    const total = shown.reduce((sum, row) => sum + value(row), 0);
    return {
      n: `n = ${count(all)} who stopped, ${count(unknown)} amounts unknown`,
      said: isPriced
        ? `${money(total)} were lost, most of it at ${positionName(worst)}: ${money(worst.amount_lost)}.`
        : `${count(all)} stopped, most of them at ${positionName(worst)}: ${count(stopped(worst))}. None has a known amount, so they are counted; what they are worth in wins stands beside.`,
      height: tall(shown),
      data: [{
        type: "bar", orientation: "h", y: places(shown), x: shown.map(value), width: 0.66,
        marker: { color: colour.orange }, cliponaxis: false,
        text: shown.map((row) => (isPriced ? ` ${compact(row.amount_lost)}  <span style="color:${colour.soft}">n=${count(stopped(row))}</span>` : ` ${count(stopped(row))}`)),
        textposition: "outside", textfont: { color: colour.ink }, hoverinfo: "text",
        hovertext: shown.map((row) =>
          `${safe(positionName(row))}: ${isPriced ? money(row.amount_lost) : count(stopped(row))}<br>` +
          `${count(stopped(row))} stopped, ${count(row.amount_unknown)} without a known amount`),
      }],
      layout: byStage(shown, {
        xaxis: { showticklabels: false, showgrid: false, range: [0, value(worst) * (isNarrow() ? 1.7 : 1.4)] },
      }),
      table,
    };
  });

  figure("fig-worth", (colour) => {
    const here = ofCell("conversion").filter((row) => known(row.one_point_wins));
    if (!here.length) {
      return ofCell("conversion").length
        ? { empty: "Too few mature journeys went on from here to say what a point is worth." } : nothing();
    }
    const best = here.reduce((most, row) => (row.one_point_wins > most.one_point_wins ? row : most));
    return {
      n: `n = ${here.map((row) => count(row.mature_reached)).join(", ")} mature`,
      said: `One point more at ${positionName(best)} would have brought ${number(best.one_point_wins)} more wins` +
        (known(best.one_point_amount) && best.one_point_amount ? `, worth ${money(best.one_point_amount)}.` : "."),
      height: tall(here),
      data: [{
        type: "bar", orientation: "h", y: places(here), x: here.map((row) => row.one_point_wins), width: 0.66,
        marker: { color: here.map((row) => (row === best ? colour.green : colour.pale)), line: { color: colour.green, width: 1 } },
        error_x: {
          type: "data", symmetric: false, color: colour.ink, thickness: 1.5, width: 5,
          array: here.map((row) => (known(row.one_point_wins_high) ? row.one_point_wins_high - row.one_point_wins : 0)),
          arrayminus: here.map((row) => (known(row.one_point_wins_low) ? row.one_point_wins - row.one_point_wins_low : 0)),
        },
        hoverinfo: "text",
        hovertext: here.map((row) =>
          `${safe(positionName(row))}: ${number(row.one_point_wins)} wins (${number(row.one_point_wins_low)} to ${number(row.one_point_wins_high)})` +
          (known(row.one_point_amount) ? `<br>worth ${money(row.one_point_amount)}` : "")),
      }],
      layout: byStage(here, { xaxis: { rangemode: "tozero", title: { text: "more wins", standoff: 6 }, nticks: 5 } }),
      table: {
        columns: [
          ["Stage", positionName], ["Mature journeys here", "mature_reached", count],
          ["More wins by one point", "one_point_wins", number], ["at least", "one_point_wins_low", number],
          ["at most", "one_point_wins_high", number], [`Worth, ${catalogue.currency}`, "one_point_amount", inFull],
          ["Rank", "one_point_rank", count],
        ],
        rows: here,
      },
    };
  });
})();
