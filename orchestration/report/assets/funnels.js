// The page of one funnel: its tiles and its filters. The charts are in the files funnel-….js.
"use strict";

(() => {
  const { count, duration, fill, known, load, percent } = window.report;
  const view = window.report.view;
  const {
    catalogue, money, by, state, periodName, periodKey, segmentKey, segmentName, period, segment,
    isMature, ofCell, column, stages, nameOf, atPosition, positionName, unit, ladder,
  } = view;

  const GRAINS = ["year", "quarter", "month", "week"];

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

  // ---- filters

  function showFilters() {
    const has = (grain) => view.funnel.periods.some((one) => one[0] === grain);
    const pairs = (grain) => view.funnel.periods.filter((one) => one[0] === grain).map((one) => [periodKey(one), periodName(one)]);
    const grains = GRAINS.filter(has);
    state.period = fill(by("filter-period"), [
      ["all", "all time"], ...grains.filter((grain) => grain !== "week").map((grain) => ({ group: `A ${grain}`, options: pairs(grain) })),
    ], state.period || "all");
    const names = [...new Set(view.funnel.segments.slice(1).map(([name]) => name))];
    state.segment = fill(by("filter-segment"), [
      ["all", "everybody"],
      ...names.map((name) => ({ group: name, options: view.funnel.segments.filter((one) => one[0] === name).map((one) => [segmentKey(one), one[1]]) })),
    ], state.segment || "all");
    const ends = stages().slice(1).map((stage) => [stage.stage_id, nameOf(stage)]);
    const last = ends.length ? ends[ends.length - 1][0] : "";
    const end = ends.some(([id]) => id === state.stage) ? state.stage : last;
    fill(by("trend-stage"), ends, end);
    fill(by("segments-stage"), ends, end);
    fill(by("drivers-stage"), ends, end);
    state.grain = fill(by("trend-grain"), grains.map((grain) => [grain, grain]), state.grain || (has("month") ? "month" : grains[0]));
    state.by = fill(by("segments-name"), names.map((name) => [name, name]), state.by || names[0]);
    by("names").hidden = !view.funnel.stages.some((stage) => stage.stage_name_zh);
  }

  function say() {
    const modes = {
      furthest: "a stage counts as reached once it, or any later one, was entered",
      ordered: "stages count in their order", strict: "stages count only one right after the other", any: "stages count in any order",
    };
    const windowed = known(view.funnel.window_seconds) ? `, within ${duration(view.funnel.window_seconds)} of the entry` : "";
    by("funnel-name").textContent = view.funnel.funnel_name;
    document.title = `${view.funnel.funnel_name} · Funnel Warehouse`;
    by("funnel-lead").textContent = `It counts ${view.funnel.unit}; ${modes[view.funnel.order_mode] || view.funnel.order_mode}${windowed}.`;
    const shown = by("shown");
    shown.textContent = `Shown: ${segmentName(view.funnel.segments[segment()])}, entered in ${periodName(view.funnel.periods[period()])}` +
      `${isMature() ? ", only journeys that had their time" : ""}. `;
    const [first] = ofCell("conversion");
    if (first && first.is_mature === false && !isMature()) {
      const note = document.createElement("em");
      note.textContent = "Immature: some of these journeys have had no time yet, so their rates will still rise.";
      shown.append(note);
    }
    by("left-out").replaceChildren(...[
      ...view.funnel.left_out, "Curves are drawn by at most 40 of their points. All else is in the tables of the release.",
    ].map((text) => {
      const line = document.createElement("li");
      line.textContent = text;
      return line;
    }));
  }

  function show(data) {
    view.funnel = data;
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
    const alike = ["trend-stage", "segments-stage", "drivers-stage"];
    for (const id of alike) {
      by(id).addEventListener("change", (event) => {
        state.stage = event.target.value;
        for (const other of alike) by(other).value = event.target.value;
        update(["fig-trend", "fig-segments", "fig-drivers"]);
      });
    }
    reload();
  }

  start();
})();
