// What the page of funnels looks at: its state, the cell of the marts that is chosen, and names for people.
"use strict";

window.report.view = (() => {
  const { compact, count, isNarrow, known, lines, rows } = window.report;
  const catalogue = window.reportData["catalogue.js"];
  const money = (value) => (known(value) ? `${catalogue.currency} ${compact(value)}` : "–");
  const inFull = (value) => (known(value) ? count(Math.round(100 * value) / 100) : "–");
  const by = (id) => document.getElementById(id);
  const RESERVED = {
    entry: "(entry)", still_there: "still there", ended: "ended here", abandoned: "gave up", any_exit: "any",
  };

  const view = { funnel: null };
  const state = window.report.stored([
    "funnel", "period", "segment", "journeys", "names", "grain", "stage", "by",
  ]);

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
  const period = () => Math.max(0, view.funnel.periods.findIndex((one) => periodKey(one) === state.period));
  const segment = () => Math.max(0, view.funnel.segments.findIndex((one) => segmentKey(one) === state.segment));
  const isMature = () => state.journeys === "mature";
  const ofCell = (table, p = period(), s = segment()) =>
    rows(view.funnel[table]).filter((row) => row.period === p && row.segment === s);
  // A column as it is for all journeys, or for those that had their time.
  const column = (name) => (isMature() ? `mature_${name}` : name);
  const stages = () => view.funnel.stages.filter((stage) => known(stage.stage_position));
  const nameOf = (stage) => (state.names === "stage_name_zh" && stage.stage_name_zh) || stage.stage_name;
  const stageName = (id) => {
    const stage = view.funnel.stages.find((one) => one.stage_id === id);
    return stage ? nameOf(stage) : RESERVED[id] || id;
  };
  const atPosition = (position) => stages().find((stage) => stage.stage_position === position);
  const positionName = (row) => nameOf(atPosition(row.stage_position));
  const unit = () => (isMature() ? `mature ${view.funnel.unit}` : view.funnel.unit);
  const NONE = "Nobody of this period and segment is in the marts.";
  const UNCROSSED = "By segment only all time and the latest periods are shown here; the table has them all.";
  const nothing = () => ({ empty: period() && segment() && !ofCell("conversion").length ? UNCROSSED : NONE });

  function ladder() {
    return ofCell("conversion").filter((row) => known(row[column("reached")]));
  }

  // ---- what charts by stage share

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
  const places = (here) => here.map((row) => String(row.stage_position));
  const tall = (here) => 70 + 52 * here.length;

  return Object.assign(view, {
    catalogue, money, inFull, by, state, periodName, periodKey, segmentKey, segmentName, period,
    segment, isMature, ofCell, column, stages, nameOf, stageName, atPosition, positionName, unit,
    nothing, NONE, UNCROSSED, ladder, byStage, places, tall,
  });
})();
