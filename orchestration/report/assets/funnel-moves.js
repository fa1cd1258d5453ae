// Charts of the moves between stages: the matrix and the flow.
"use strict";

(() => {
  const {
    between, count, duration, figure, isNarrow, known, lines, percent, safe, withAlpha,
  } = window.report;
  const view = window.report.view;
  const { ofCell, stageName, nothing } = view;

  // The moves in the order of the ladder, and the rows and columns that they fill.
  const inOrder = () => ["entry", ...view.funnel.stages.map((stage) => stage.stage_id), "still_there", "abandoned", "ended"];
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
    const onward = moves.filter((row) => row.from_stage_id !== "entry" && view.funnel.stages.some((stage) => stage.stage_id === row.to_stage_id));
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
      const stage = view.funnel.stages.find((one) => one.stage_id === id);
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
      : view.funnel.stages.find((one) => one.stage_id === id).stage_kind === "won" ? colour.green : colour.blue);
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
})();
