// The page of one funnel: its filters, and a chart for each question.
"use strict";

(() => {
  const {
    between, compact, count, duration, figure, fill, isNarrow, known, lines, load, number, percent, points,
    rows, safe, withAlpha,
  } = window.report;
  const catalogue = window.reportData["catalogue.js"];
  const money = (value) => (known(value) ? `${catalogue.currency} ${compact(value)}` : "–");
  const inFull = (value) => (known(value) ? count(Math.round(100 * value) / 100) : "–");
  const by = (id) => document.getElementById(id);
  const GRAINS = ["year", "quarter", "month", "week"];
  const RESERVED = {
    entry: "(entry)", still_there: "still there", ended: "ended here", abandoned: "gave up", any_exit: "any",
  };

  let funnel;
  const state = window.report.stored([
    "funnel", "period", "segment", "journeys", "names", "grain", "stage", "by",
  ]);

  // ---- what is looked at

  const periodName = ([grain, date]) => {
    if (grain === "all") return "all time";
    if (grain === "year") return date.slice(0, 4);
    if (grain === "quarter") return `${date.slice(0, 4)}-Q${Math.ceil(Number(date.slice(5, 7)) / 3)}`;
    if (grain === "month") return date.slice(0, 7);
    return `week of ${date}`;
  };
  const periodKey = ([grain, date]) => (grain === "all" ? "all" : `${grain}:${date}`);
  const segmentKey = ([name, value]) => (name === "all" ? "all" : `${name}:${value}`);
  const segmentName = ([name, value]) => (name === "all" ? "everybody" : `${name}: ${value}`);
  const period = () => Math.max(0, funnel.periods.findIndex((one) => periodKey(one) === state.period));
  const segment = () => Math.max(0, funnel.segments.findIndex((one) => segmentKey(one) === state.segment));
  const isMature = () => state.journeys === "mature";
  const ofCell = (table, p = period(), s = segment()) =>
    rows(funnel[table]).filter((row) => row.period === p && row.segment === s);
  // A column as it is for all journeys, or for those that had their time.
  const column = (name) => (isMature() ? `mature_${name}` : name);
  const stages = () => funnel.stages.filter((stage) => known(stage.stage_position));
  const nameOf = (stage) => (state.names === "stage_name_zh" && stage.stage_name_zh) || stage.stage_name;
  const stageName = (id) => {
    const stage = funnel.stages.find((one) => one.stage_id === id);
    return stage ? nameOf(stage) : RESERVED[id] || id;
  };
  const atPosition = (position) => stages().find((stage) => stage.stage_position === position);
  const positionName = (row) => nameOf(atPosition(row.stage_position));
  const unit = () => (isMature() ? `mature ${funnel.unit}` : funnel.unit);
  const NONE = "Nobody of this period and segment is in the marts.";
  const UNCROSSED = "By segment only all time and the latest periods are shown here; the table has them all.";
  const nothing = () => ({ empty: period() && segment() && !ofCell("conversion").length ? UNCROSSED : NONE });

  function ladder() {
    return ofCell("conversion").filter((row) => known(row[column("reached")]));
  }

  // ---- tiles

  function showTiles() {
    const here = ladder();
    const last = here[here.length - 1];
    if (!last) return window.report.tiles([]);
    const steps = here.filter((row) => known(row[column("step_rate")]));
    const narrowest = steps.reduce(
      (least, row) => (!least || row[column("step_rate")] < least[column("step_rate")] ? row : least), null
    );
    const lost = here.reduce((sum, row) => (known(row.amount_lost) ? sum + row.amount_lost : sum), 0);
    const unknown = here.reduce((sum, row) => sum + (row.amount_unknown || 0), 0);
    const shown = [
      ["Entered", count(last[column("entered")]), unit()],
      [`Reached ${nameOf(atPosition(last.stage_position))}`, count(last[column("reached")]), `of ${count(last[column("entered")])} who entered`],
      ["Rate from entry to end", percent(last[column("overall_rate")]),
        `${percent(last[column("overall_rate_low")])} to ${percent(last[column("overall_rate_high")])}`],
    ];
    if (narrowest) {
      shown.push([`Narrowest step, to ${positionName(narrowest)}`, percent(narrowest[column("step_rate")]),
        `of ${count(narrowest[column("reached_previous")])} before`]);
    }
    if (lost > 0) shown.push(["Lost on the way", money(lost), unknown ? `${count(unknown)} amounts unknown` : "every amount known"]);
    window.report.tiles(shown);
  }

  // ---- the funnel

  // Horizontal bars: a stage each, the first on top.
  function byStage(here, also = {}) {
    return {
      yaxis: {
        autorange: "reversed", type: "category", showgrid: false,
        tickvals: here.map((row) => String(row.stage_position)),
        ticktext: here.map((row) => lines(positionName(row), isNarrow() ? 12 : 18)),
      },
      ...also,
    };
  }
  // An interval for the side of a bar: as few digits as tell it apart.
  const brief = (low, high) => {
    const digits = high < 0.1 ? 1 : 0;
    return `${(100 * low).toFixed(digits)}–${(100 * high).toFixed(digits)}%`;
  };
  const places = (here) => here.map((row) => String(row.stage_position));
  const tall = (here) => 70 + 52 * here.length;

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

  // ---- where they go

  // The moves in the order of the ladder, and the rows and columns that they fill.
  const inOrder = () => ["entry", ...funnel.stages.map((stage) => stage.stage_id), "still_there", "abandoned", "ended"];
  function movesOfCell() {
    const order = inOrder();
    const place = (row) => 100 * order.indexOf(row.from_stage_id) + order.indexOf(row.to_stage_id);
    return ofCell("matrix").sort((a, b) => place(a) - place(b));
  }
  const filled = (moves, side) => inOrder().filter((id) => moves.some((row) => row[side] === id));

  const MATRIX_TABLE = [
    ["From", (row) => stageName(row.from_stage_id)], ["To", (row) => stageName(row.to_stage_id)],
    ["Moves", "transitions", count], ["of visits", "visits", count], ["Rate", "transition_rate", percent],
    ["at least", "transition_rate_low", percent], ["at most", "transition_rate_high", percent],
    ["by subjects", "subjects", count], ["Median time before", "median_seconds", duration],
  ];

  figure("fig-matrix", (colour) => {
    const moves = movesOfCell();
    if (!moves.length) return nothing();
    const [from, to] = [filled(moves, "from_stage_id"), filled(moves, "to_stage_id")];
    const cell = (f, t) => moves.find((row) => row.from_stage_id === f && row.to_stage_id === t);
    const visits = from.map((f) => moves.find((row) => row.from_stage_id === f).visits);
    const onward = moves.filter((row) => row.from_stage_id !== "entry" && funnel.stages.some((stage) => stage.stage_id === row.to_stage_id));
    const commonest = onward.reduce((most, row) => (!most || row.transitions > most.transitions ? row : most), null);
    return {
      n: `n = ${count(visits.reduce((sum, n) => sum + n, 0))} visits and entries`,
      said: commonest
        ? `The commonest move is from ${stageName(commonest.from_stage_id)} to ${stageName(commonest.to_stage_id)}: ` +
          `${between(commonest.transition_rate, commonest.transition_rate_low, commonest.transition_rate_high)} of ${count(commonest.visits)} visits.`
        : "",
      height: 130 + 46 * from.length,
      minWidth: isNarrow() ? 84 + 26 * to.length : 120 + 44 * to.length,
      data: [{
        type: "heatmap", x: to.map((_, index) => index), y: from.map((_, index) => index), zmin: 0, zmax: 1,
        z: from.map((f) => to.map((t) => cell(f, t)?.transition_rate ?? null)),
        text: from.map((f) => to.map((t) => {
          const row = cell(f, t);
          if (!row) return "";
          return row.transition_rate < 0.005 ? "<1%" : `${Math.round(100 * row.transition_rate)}%`;
        })),
        texttemplate: "%{text}", textfont: { size: isNarrow() ? 10 : 12 }, xgap: 2, ygap: 2, showscale: false, hoverongaps: false,
        colorscale: [[0, colour["heat-low"]], [1, colour["heat-high"]]], hoverinfo: "text",
        hovertext: from.map((f) => to.map((t) => {
          const row = cell(f, t);
          return row
            ? `${safe(stageName(f))} to ${safe(stageName(t))}<br>${between(row.transition_rate, row.transition_rate_low, row.transition_rate_high)}` +
              `<br>${count(row.transitions)} of ${count(row.visits)} visits` +
              (known(row.median_seconds) ? `<br>after ${duration(row.median_seconds)} (median)` : "")
            : "";
        })),
      }],
      layout: {
        xaxis: {
          tickvals: to.map((_, index) => index), ticktext: to.map((id) => lines(stageName(id), to.length > 7 ? 14 : 11)), side: "top",
          showgrid: false, tickangle: isNarrow() || to.length > 7 ? -60 : 0,
        },
        yaxis: {
          tickvals: from.map((_, index) => index), autorange: "reversed", showgrid: false,
          ticktext: from.map((id, index) =>
            `${lines(stageName(id), isNarrow() ? 11 : 14)}<br><span style="color:${colour.soft}">n=${count(visits[index])}</span>`
          ),
        },
      },
      table: { columns: MATRIX_TABLE, rows: moves },
    };
  });

  figure("fig-flow", (colour) => {
    const moves = movesOfCell();
    const rank = (id) => {
      const stage = funnel.stages.find((one) => one.stage_id === id);
      if (stage && known(stage.stage_position)) return stage.stage_position;
      return stage ? 1000 : { abandoned: 1001, still_there: 1002 }[id];
    };
    const onward = moves.filter((row) => known(rank(row.from_stage_id)) && rank(row.from_stage_id) < 1000);
    const forward = onward.filter((row) => rank(row.to_stage_id) > rank(row.from_stage_id));
    if (!forward.length) return moves.length ? { empty: "Nobody has moved from one stage to a later one." } : nothing();
    const back = onward.filter((row) => rank(row.to_stage_id) <= rank(row.from_stage_id))
      .reduce((sum, row) => sum + row.transitions, 0);
    const ids = [...new Set(forward.flatMap((row) => [row.from_stage_id, row.to_stage_id]))].sort((a, b) => rank(a) - rank(b));
    const kind = (id) => (id === "still_there" ? colour.grey : id === "abandoned" ? colour.yellow : rank(id) >= 1000 ? colour.orange
      : funnel.stages.find((one) => one.stage_id === id).stage_kind === "won" ? colour.green : colour.blue);
    const through = (id) => Math.max(
      ...["from_stage_id", "to_stage_id"].map((side) =>
        forward.filter((row) => row[side] === id).reduce((sum, row) => sum + row.transitions, 0))
    );
    const total = forward.reduce((sum, row) => sum + row.transitions, 0);
    const stopped = forward.filter((row) => rank(row.to_stage_id) === 1000 || row.to_stage_id === "abandoned")
      .reduce((sum, row) => sum + row.transitions, 0);
    return {
      n: `n = ${count(total)} moves`,
      said: `${count(stopped)} of ${count(total)} moves end in a loss or in giving up.` +
        (back ? ` ${count(back)} steps back are not drawn; the table has them.` : ""),
      height: Math.max(320, 130 + 46 * filled(moves, "from_stage_id").length),
      minWidth: isNarrow() && ids.length <= 8 ? 0 : 480,
      data: [{
        type: "sankey", arrangement: "snap", orientation: "h",
        node: {
          label: ids.map((id) => lines(stageName(id), 16)), color: ids.map(kind), pad: 16, thickness: 14,
          line: { width: 0 }, customdata: ids.map((id) => `${safe(stageName(id))}: ${count(through(id))}`),
          hovertemplate: "%{customdata}<extra></extra>",
        },
        link: {
          source: forward.map((row) => ids.indexOf(row.from_stage_id)),
          target: forward.map((row) => ids.indexOf(row.to_stage_id)),
          value: forward.map((row) => row.transitions),
          color: forward.map((row) => withAlpha(kind(row.to_stage_id), 0.38)),
          customdata: forward.map((row) =>
            `${safe(stageName(row.from_stage_id))} to ${safe(stageName(row.to_stage_id))}: ${count(row.transitions)} ` +
            `(${percent(row.transition_rate)} of ${count(row.visits)})`
          ),
          hovertemplate: "%{customdata}<extra></extra>",
        },
        textfont: { color: colour.ink, size: isNarrow() ? 10 : 12, shadow: "none" },
      }],
      layout: { margin: { l: 4, r: 4, t: 16, b: 16 } },
      table: { columns: MATRIX_TABLE.slice(0, 5), rows: onward },
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
      n: `n = ${count(here[0].reached)} ${funnel.unit} at the first stage`,
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

  // ---- how long it takes

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
    const order = (row) => funnel.stages.findIndex((stage) => stage.stage_id === row.from_stage_id);
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
    const isLost = (row) => funnel.stages.some((stage) => stage.stage_id === row[side] && stage.stage_kind === "lost");
    const here = ofCell("curves").filter((row) => row.event === event && !isLost(row));
    if (!here.length) {
      return {
        empty: period() && segment() ? "Curves are kept by segment for all time, and by period for everybody; not for both at once."
          : funnel.periods[period()][0] === "week" ? "Weeks have no curves: choose a month or more." : nothing().empty,
      };
    }
    const order = (row) => funnel.stages.findIndex((stage) => stage.stage_id === row[side]);
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
    const open = here.filter((row) => funnel.stages.find((stage) => stage.stage_id === row.from_stage_id)?.stage_kind === "open");
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

  // ---- trend and segments

  function stageOf(id) {
    const chosen = by(id).value;
    return stages().find((stage) => stage.stage_id === chosen) || stages()[stages().length - 1];
  }

  figure("fig-trend", (colour) => {
    const grain = by("trend-grain").value;
    const stage = stageOf("trend-stage");
    const cohorts = funnel.periods.map((one, index) => [one, index]).filter(([one]) => one[0] === grain).reverse();
    const here = cohorts.flatMap(([one, index]) =>
      ofCell("conversion", index).filter((row) => row.stage_position === stage.stage_position).map((row) => ({ ...row, cohort: periodName(one) }))
    );
    if (!here.length) return { empty: segment() ? UNCROSSED : "There is no cohort of this length yet." };
    const rate = (row, part = "") => row[`${column("overall_rate")}${part}`];
    const rated = here.filter((row) => known(rate(row)));
    const change = (row) => rows(funnel.differences).find((one) =>
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
    const values = funnel.segments.map((one, index) => [one, index]).filter(([one]) => one[0] === name);
    const at = (s) => ofCell("conversion", period(), s).find((row) => row.stage_position === stage.stage_position);
    const rate = (row, part = "") => row[`${column("overall_rate")}${part}`];
    const here = values.map(([one, index]) => ({ ...at(index), value: one[1], adds_up: one[2] }))
      .filter((row) => known(row.reached) && known(rate(row)));
    const whole = at(0);
    if (!name) return { empty: "This funnel has no declared segments (segments.csv)." };
    if (!here.length) return { empty: period() ? UNCROSSED : NONE };
    const other = (row) => rows(funnel.differences).find((one) =>
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

  // ---- filters

  function showFilters() {
    const has = (grain) => funnel.periods.some((one) => one[0] === grain);
    const pairs = (grain) => funnel.periods.filter((one) => one[0] === grain).map((one) => [periodKey(one), periodName(one)]);
    const grains = GRAINS.filter(has);
    state.period = fill(by("filter-period"), [
      ["all", "all time"], ...grains.filter((grain) => grain !== "week").map((grain) => ({ group: `A ${grain}`, options: pairs(grain) })),
    ], state.period || "all");
    const names = [...new Set(funnel.segments.slice(1).map(([name]) => name))];
    state.segment = fill(by("filter-segment"), [
      ["all", "everybody"],
      ...names.map((name) => ({ group: name, options: funnel.segments.filter((one) => one[0] === name).map((one) => [segmentKey(one), one[1]]) })),
    ], state.segment || "all");
    const ends = stages().slice(1).map((stage) => [stage.stage_id, nameOf(stage)]);
    const last = ends.length ? ends[ends.length - 1][0] : "";
    const end = ends.some(([id]) => id === state.stage) ? state.stage : last;
    fill(by("trend-stage"), ends, end);
    fill(by("segments-stage"), ends, end);
    state.grain = fill(by("trend-grain"), grains.map((grain) => [grain, grain]), state.grain || (has("month") ? "month" : grains[0]));
    state.by = fill(by("segments-name"), names.map((name) => [name, name]), state.by || names[0]);
    by("names").hidden = !funnel.stages.some((stage) => stage.stage_name_zh);
  }

  function say() {
    const modes = {
      furthest: "a stage counts as reached once it, or any later one, was entered",
      ordered: "stages count in their order", strict: "stages count only one right after the other", any: "stages count in any order",
    };
    const windowed = known(funnel.window_seconds) ? `, within ${duration(funnel.window_seconds)} of the entry` : "";
    by("funnel-name").textContent = funnel.funnel_name;
    document.title = `${funnel.funnel_name} · Funnel Warehouse`;
    by("funnel-lead").textContent = `It counts ${funnel.unit}; ${modes[funnel.order_mode] || funnel.order_mode}${windowed}.`;
    const shown = by("shown");
    shown.textContent = `Shown: ${segmentName(funnel.segments[segment()])}, entered in ${periodName(funnel.periods[period()])}` +
      `${isMature() ? ", only journeys that had their time" : ""}. `;
    const [first] = ofCell("conversion");
    if (first && first.is_mature === false && !isMature()) {
      const note = document.createElement("em");
      note.textContent = "Immature: some of these journeys have had no time yet, so their rates will still rise.";
      shown.append(note);
    }
    by("left-out").replaceChildren(...[
      ...funnel.left_out, "Curves are drawn by at most 40 of their points. All else is in the tables of the release.",
    ].map((text) => {
      const line = document.createElement("li");
      line.textContent = text;
      return line;
    }));
  }

  function show(data) {
    funnel = data;
    showFilters();
    update();
  }

  function update(only) {
    say();
    showTiles();
    window.report.redraw(only);
    window.report.store(state);
  }

  function start() {
    if (!catalogue.funnels.length) return window.report.trouble("No funnel has any journey yet.");
    state.funnel = fill(by("filter-funnel"), catalogue.funnels.map((one) => [one.funnel_id, one.funnel_name]), state.funnel);
    state.journeys = fill(by("filter-journeys"), [...by("filter-journeys").options].map((one) => [one.value, one.text]), state.journeys || "all");
    state.names = fill(by("filter-names"), [...by("filter-names").options].map((one) => [one.value, one.text]), state.names || "stage_name");
    const reload = () => load(catalogue.funnels.find((one) => one.funnel_id === state.funnel), show);
    by("filter-funnel").addEventListener("change", (event) => {
      Object.assign(state, { funnel: event.target.value, segment: "all", stage: null, by: null });
      reload();
    });
    for (const [id, name, only] of [
      ["filter-period", "period"], ["filter-segment", "segment"], ["filter-journeys", "journeys"],
      ["trend-grain", "grain", ["fig-trend"]], ["segments-name", "by", ["fig-segments"]],
    ]) {
      by(id).addEventListener("change", (event) => {
        state[name] = event.target.value;
        update(only);
      });
    }
    by("filter-names").addEventListener("change", (event) => {
      state.names = event.target.value;
      showFilters();
      update();
    });
    for (const [id, twin] of [["trend-stage", "segments-stage"], ["segments-stage", "trend-stage"]]) {
      by(id).addEventListener("change", (event) => {
        state.stage = event.target.value;
        by(twin).value = event.target.value;
        update(["fig-trend", "fig-segments"]);
      });
    }
    reload();
  }

  start();
})();
