// The page of the pipeline: what is open, what moved it, and what will be won.
"use strict";

(() => {
  const { compact, count, figure, fill, isNarrow, known, lines, load, number, percent, rows, safe, withAlpha } = window.report;
  const catalogue = window.reportData["catalogue.js"];
  const money = (value) => (known(value) ? `${catalogue.currency} ${compact(value)}` : "–");
  const inFull = (value) => (known(value) ? count(Math.round(100 * value) / 100) : "–");
  const by = (id) => document.getElementById(id);

  let funnel;
  const state = window.report.stored(["funnel", "days", "measure", "by"]);
  const isMoney = () => state.measure !== "deals";
  const shown = (value) => (isMoney() ? money(value) : count(value));
  const unitOf = () => (isMoney() ? catalogue.currency : "deals");
  const nameOf = (position) => rows(funnel.stages).find((stage) => stage.stage_position === position)?.stage_name ?? `stage ${position}`;
  const sum = (list, key) => list.reduce((total, row) => total + (row[key] ?? 0), 0);

  const dates = () => [...new Set(rows(funnel.days).map((row) => row.snapshot_date))];
  // The days looked at: the one before is where the movements start from.
  function span() {
    const all = dates();
    const last = all.slice(-Number(state.days));
    return { days: last, before: all[all.length - last.length - 1] };
  }
  const ofDay = (date) => rows(funnel.days).filter((row) => row.snapshot_date === date);

  function showTiles() {
    const { days } = span();
    const last = ofDay(days[days.length - 1]);
    const first = ofDay(days[0]);
    const growth = sum(last, "open_amount") - sum(first, "open_amount");
    const unknown = sum(last, "deals_without_amount");
    window.report.tiles([
      ["Open deals", count(sum(last, "open_deals")), `at the end of ${days[days.length - 1]}`],
      ["Open pipeline", money(sum(last, "open_amount")), unknown ? `${count(unknown)} deals without an amount` : "every amount known"],
      ["Weighted by stage", money(sum(last, "weighted_amount")), "by the declared chances"],
      ["Beyond target time", percent(sum(last, "open_deals") ? sum(last, "overdue_deals") / sum(last, "open_deals") : null),
        `${count(sum(last, "overdue_deals"))} of ${count(sum(last, "open_deals"))} open deals`],
      ["Change", `${growth < 0 ? "−" : "+"}${compact(Math.abs(growth))}`, `${catalogue.currency} since ${days[0]}`],
    ]);
  }

  figure("fig-open", (colour) => {
    const { days } = span();
    const paints = [colour.blue, colour.orange, colour.green, colour.purple, colour.yellow, colour.grey];
    const key = isMoney() ? "open_amount" : "open_deals";
    const at = new Map(rows(funnel.days).map((row) => [`${row.snapshot_date} ${row.stage_position}`, row]));
    const positions = [...new Set(rows(funnel.days).map((row) => row.stage_position))].sort((a, b) => b - a);
    const row = (date, position) => at.get(`${date} ${position}`);
    const last = ofDay(days[days.length - 1]);
    const most = last.reduce((one, other) => (!one || (other[key] ?? 0) > (one[key] ?? 0) ? other : one), null);
    return {
      n: `n = ${count(sum(last, "open_deals"))} open deals on ${days[days.length - 1]}`,
      said: most
        ? `${shown(sum(last, key))}${isMoney() ? "" : " deals"} are open; most lies in ${nameOf(most.stage_position)}: ${shown(most[key])}.` +
          (sum(last, "deals_without_amount") ? ` ${count(sum(last, "deals_without_amount"))} deals have no known amount.` : "")
        : "Nothing is open.",
      height: 400,
      data: positions.map((position, index) => ({
        type: "scatter", mode: "lines", stackgroup: "open", name: lines(nameOf(position), 18), x: days,
        y: days.map((date) => row(date, position)?.[key] ?? 0), line: { width: 1, color: paints[index % 6], shape: "hv" },
        fillcolor: withAlpha(paints[index % 6], 0.55), hoverinfo: "text",
        hovertext: days.map((date) => `${date}, ${safe(nameOf(position))}<br>${money(row(date, position)?.open_amount)}<br>${count(row(date, position)?.open_deals ?? 0)} deals`),
      })),
      layout: {
        showlegend: true, xaxis: { type: "date", nticks: isNarrow() ? 4 : 10 },
        yaxis: { rangemode: "tozero", tickformat: isMoney() ? ".2~s" : "", title: { text: unitOf() } },
      },
      table: {
        columns: [
          ["Day", "snapshot_date"], ["Stage", (one) => nameOf(one.stage_position)], ["Open deals", "open_deals", count],
          [`Open, ${catalogue.currency}`, "open_amount", inFull], ["Without amount", "deals_without_amount", count],
          [`Weighted, ${catalogue.currency}`, "weighted_amount", inFull], ["Beyond target time", "overdue_deals", count],
        ],
        rows: [...last, ...(days.length > 1 ? ofDay(days[0]) : [])],
      },
    };
  });

  const MOVEMENTS = {
    created: "created", reopened: "reopened", pulled_in: "pulled in", moved_in: "moved in", amount_raised: "raised",
    amount_cut: "cut", revalued: "revalued", won: "won", lost: "lost", deleted: "deleted", pushed_out: "pushed out", moved_out: "moved out",
  };

  figure("fig-movements", (colour) => {
    const { days, before } = span();
    const key = isMoney() ? "amount_change" : "deals_change";
    const stock = isMoney() ? "open_amount" : "open_deals";
    const start = before ? sum(ofDay(before), stock) : 0;
    const end = sum(ofDay(days[days.length - 1]), stock);
    const inside = rows(funnel.movements).filter((row) => row.movement_date >= days[0] && row.movement_date <= days[days.length - 1]);
    const here = Object.keys(MOVEMENTS)
      .map((movement) => {
        const of = inside.filter((row) => row.movement === movement);
        return {
          movement, moves: sum(of, "moves"), deals_change: sum(of, "deals_change"), amount_change: sum(of, "amount_change"),
          moves_without_amount: sum(of, "moves_without_amount"),
        };
      })
      .filter((row) => row.moves && (row[key] || isMoney()));
    const moves = sum(here, "moves");
    const unexplained = end - start - sum(here, key);
    const names = [before ?? "start", ...here.map((row) => MOVEMENTS[row.movement]), days[days.length - 1]];
    const largest = here.reduce((one, other) => (!one || Math.abs(other[key]) > Math.abs(one[key]) ? other : one), null);
    return {
      n: `n = ${count(moves)} movements in ${count(days.length)} days`,
      said: `From ${shown(start)}${before ? ` on ${before}` : ""} to ${shown(end)} on ${days[days.length - 1]}` +
        (largest ? `; the most came by “${MOVEMENTS[largest.movement]}”: ${largest[key] < 0 ? "−" : "+"}${shown(Math.abs(largest[key]))} in ${count(largest.moves)} moves.` : ".") +
        (Math.abs(unexplained) > 1 ? ` ${shown(unexplained)} are not accounted for by these days alone.` : ""),
      height: 390,
      data: [{
        type: "waterfall", x: names, measure: ["absolute", ...here.map(() => "relative"), "total"],
        y: [start, ...here.map((row) => row[key]), 0], hoverinfo: "text",
        hovertext: [
          `${before ?? "the first day"}: ${shown(start)}`,
          ...here.map((row) => `${MOVEMENTS[row.movement]}: ${shown(row[key])}<br>${count(row.moves)} moves`),
          `${days[days.length - 1]}: ${shown(end)}`,
        ],
        text: isNarrow() ? undefined : [compact(start), ...here.map((row) => compact(row[key])), compact(end)],
        textposition: "outside", cliponaxis: false, textfont: { color: colour.ink, size: 11 },
        increasing: { marker: { color: colour.green } }, decreasing: { marker: { color: colour.orange } },
        totals: { marker: { color: colour.blue } }, connector: { line: { color: colour.grey, width: 1 } },
      }],
      layout: {
        xaxis: { type: "category", tickangle: -60, showgrid: false },
        yaxis: { rangemode: "tozero", tickformat: isMoney() ? ".2~s" : "", title: { text: unitOf() } },
        margin: { l: 8, r: 12, t: 24, b: 8 },
      },
      table: {
        columns: [
          ["Movement", (row) => MOVEMENTS[row.movement]], ["Moves", "moves", count], ["Deals", "deals_change", count],
          [catalogue.currency, "amount_change", inFull], ["Moves without amount", "moves_without_amount", count],
        ],
        rows: here,
      },
    };
  });

  figure("fig-by", (colour) => {
    const name = by("by-segment").value;
    const here = rows(funnel.by_segment).filter((row) => row.segment_name === name);
    const key = isMoney() ? "open_amount" : "open_deals";
    if (!here.length) return { empty: "Nothing is open, or by no attribute." };
    const places = here.map((_, index) => index);
    const top = here.reduce((one, other) => ((other[key] ?? 0) > (one[key] ?? 0) ? other : one));
    const most = Math.max(...here.map((row) => row[key] ?? 0), 1);
    const late = here.map((row) => (row.open_deals ? row.overdue_deals / row.open_deals : 0));
    return {
      n: `n = ${count(sum(here, "open_deals"))} open deals`,
      said: `Most is with ${top.segment_value}: ${shown(top[key])}${isMoney() ? ` in ${count(top.open_deals)} deals` : ""}, ` +
        `${count(top.overdue_deals)} of ${count(top.open_deals)} beyond the target time of their stage.`,
      height: 60 + 36 * here.length,
      data: [
        {
          type: "bar", orientation: "h", y: places, x: here.map((row, index) => (row[key] ?? 0) * (1 - late[index])), marker: { color: colour.blue },
          hoverinfo: "skip", width: 0.7,
        },
        {
          type: "bar", orientation: "h", y: places, x: here.map((row, index) => (row[key] ?? 0) * late[index]),
          marker: { color: colour.pale, line: { color: colour.blue, width: 1 } }, width: 0.7, hoverinfo: "text", cliponaxis: false,
          text: here.map((row) => ` ${compact(row[key])}`), textposition: "outside", textfont: { color: colour.ink },
          hovertext: here.map((row) => `${safe(row.segment_value)}: ${money(row.open_amount)}<br>${count(row.overdue_deals)} of ${count(row.open_deals)} deals beyond target time`),
        },
      ],
      layout: {
        barmode: "stack", xaxis: { showticklabels: false, showgrid: false, range: [0, most * 1.25] },
        yaxis: {
          range: [here.length - 0.5, -0.5], tickvals: places, showgrid: false,
          ticktext: here.map((row) => `${lines(row.segment_value, isNarrow() ? 12 : 18)} <span style="color:${colour.soft}">n=${count(row.open_deals)}</span>`),
        },
      },
      table: {
        columns: [
          ["Value", "segment_value"], ["Open deals", "open_deals", count], [`Open, ${catalogue.currency}`, "open_amount", inFull],
          [`Weighted, ${catalogue.currency}`, "weighted_amount", inFull], ["Without amount", "deals_without_amount", count],
          ["Beyond target time", "overdue_deals", count],
        ],
        rows: here,
      },
    };
  });

  const METHODS = {
    declared_weights: "declared weights", moving_average: "moving average", stage_and_age: "stage and age",
    transition_matrix: "transition matrix",
  };
  const periodName = (row) => {
    const [year, month] = [row.period_date.slice(0, 4), Number(row.period_date.slice(5, 7))];
    return row.period_grain === "quarter" ? `${year}-Q${Math.ceil(month / 3)}` : row.period_date.slice(0, row.period_grain === "year" ? 4 : 7);
  };

  figure("fig-forecast", (colour) => {
    const what = isMoney() ? "amount" : "wins";
    const value = (row, part = "") => row[`expected_${what}${part}`];
    const order = { month: 0, quarter: 1, year: 2 };
    const here = rows(funnel.forecast).filter((row) => known(value(row)))
      .sort((a, b) => order[a.period_grain] - order[b.period_grain] || a.period_date.localeCompare(b.period_date) || a.method.localeCompare(b.method));
    if (!here.length) return { empty: "There is no forecast of this pipeline." };
    const label = (row) => `${periodName(row)} · ${METHODS[row.method] || row.method}`;
    const best = here.find((row) => row.is_recommended) || here[0];
    const ranged = here.filter((row) => known(value(row, "_low_80")) && known(value(row, "_high_80")));
    const told = (row) => `${shown(value(row))}` +
      (known(value(row, "_low_80")) ? ` (${shown(value(row, "_low_80"))} to ${shown(value(row, "_high_80"))}, 80%)` : "");
    const groups = [...new Set(here.map(periodName))];
    return {
      n: `n = ${groups.map((group) => `${count(here.find((row) => periodName(row) === group).deals)} open deals for ${group}`).slice(0, 2).join(", ")}`,
      said: `For ${periodName(best)}, ${METHODS[best.method] || best.method} expects ${told(best)}; ` +
        `${isMoney() ? money(best.amount_before) : count(best.wins_before)} are won already.`,
      height: 110 + 30 * here.length + 8 * groups.length,
      data: [{
        type: "scatter", mode: "markers", y: here.map((_, index) => index), x: here.map((row) => value(row)),
        error_x: {
          type: "data", symmetric: false, color: colour.blue, thickness: 2, width: 5,
          array: here.map((row) => (ranged.includes(row) ? value(row, "_high_80") - value(row) : 0)),
          arrayminus: here.map((row) => (ranged.includes(row) ? value(row) - value(row, "_low_80") : 0)),
        },
        marker: { size: 11, color: here.map((row) => (row.is_recommended ? colour.blue : colour.card)), line: { color: colour.blue, width: 2 } },
        hoverinfo: "text",
        hovertext: here.map((row) => `${label(row)}<br>${told(row)}<br>${count(row.deals)} open deals, ${count(row.past_forecasts)} past forecasts` +
          (known(row.past_error_share) ? `<br>off by ${percent(row.past_error_share)} so far` : "")),
      }],
      layout: {
        xaxis: { rangemode: "tozero", tickformat: isMoney() ? ".2~s" : "", title: { text: isMoney() ? catalogue.currency : "wins" }, nticks: isNarrow() ? 4 : 7 },
        yaxis: {
          range: [here.length - 0.5, -0.5], tickvals: here.map((_, index) => index), showgrid: false,
          ticktext: here.map((row) => (isNarrow() ? `${periodName(row)}<br>${METHODS[row.method] || safe(row.method)}` : label(row))),
          tickfont: { size: isNarrow() ? 10 : 12 },
        },
        shapes: here.flatMap((row, index) => (index && periodName(row) !== periodName(here[index - 1])
          ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: index - 0.5, y1: index - 0.5, line: { color: colour.line, width: 1.5 } }] : [])),
      },
      table: {
        columns: [
          ["Period", periodName], ["Method", (row) => METHODS[row.method] || row.method],
          ["Closest so far", (row) => (row.is_recommended ? "yes" : "no")], ["Open deals", "deals", count],
          ["Won already", "wins_before", count], ["Wins", "expected_wins", number], ["at least (80%)", "expected_wins_low_80", number],
          ["at most (80%)", "expected_wins_high_80", number], [catalogue.currency, "expected_amount", inFull],
          ["at least (80%)", "expected_amount_low_80", inFull], ["at most (80%)", "expected_amount_high_80", inFull],
          ["Past forecasts", "past_forecasts", count], ["Off by", "past_error_share", percent],
        ],
        rows: here,
      },
    };
  });

  figure("fig-coverage", (colour) => {
    const here = rows(funnel.coverage).filter((row) => known(row.target_amount)).slice(0, 12);
    if (!here.length) return { empty: "No target is declared for a period that is not over (targets.csv)." };
    const label = (row) => `${periodName(row)} · ${row.scope === "all" ? "all" : row.scope_value}`;
    const places = here.map((_, index) => index);
    const reach = (row) => ((row.won_amount ?? 0) + (row.weighted_amount ?? 0)) / row.target_amount;
    const short = here.filter((row) => reach(row) < 1);
    const bar = (key, name, paint) => ({
      type: "bar", orientation: "h", name, y: places, x: here.map((row) => (row[key] ?? 0) / row.target_amount), marker: { color: paint },
      hoverinfo: "text", width: 0.62, hovertext: here.map((row) => `${safe(label(row))}<br>${name}: ${money(row[key])}<br>target: ${money(row.target_amount)}`),
    });
    return {
      n: `n = ${here.map((row) => count(row.won_deals + row.open_deals)).join(", ")} deals won or open`,
      said: short.length
        ? `${count(short.length)} of ${count(here.length)} targets would be missed if open deals did as their stages say; furthest off is ` +
          `${label(short.reduce((one, other) => (reach(other) < reach(one) ? other : one)))}, at ${percent(Math.min(...short.map(reach)))}.`
        : "Every target would be met if open deals did as their stages say.",
      height: 110 + 38 * here.length,
      data: [bar("won_amount", "won", colour.green), bar("weighted_amount", "open, weighted", colour.blue)],
      layout: {
        barmode: "stack", showlegend: true, legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", traceorder: "normal" },
        xaxis: { tickformat: ".0%", rangemode: "tozero", title: { text: "of the target" }, nticks: isNarrow() ? 4 : 7 },
        yaxis: {
          range: [here.length - 0.5, -0.5], tickvals: places, showgrid: false,
          ticktext: here.map((row) => lines(label(row), isNarrow() ? 12 : 22)), tickfont: { size: isNarrow() ? 10 : 12 },
        },
        shapes: [{ type: "line", x0: 1, x1: 1, yref: "paper", y0: 0, y1: 1, line: { color: colour.ink, width: 2 } }],
      },
      table: {
        columns: [
          ["Target", label], [`Target, ${catalogue.currency}`, "target_amount", inFull], ["Won deals", "won_deals", count],
          ["Won", "won_amount", inFull], ["Open deals", "open_deals", count], ["Open", "open_amount", inFull],
          ["Open, weighted", "weighted_amount", inFull], ["Coverage", "coverage", number],
          ["Weighted coverage", "weighted_coverage", number],
        ],
        rows: here,
      },
    };
  });

  function show(data) {
    funnel = data;
    const names = [...new Set(rows(funnel.by_segment).map((row) => row.segment_name))];
    state.by = fill(by("by-segment"), names.map((name) => [name, name.replaceAll("_", " ")]), state.by || (names.includes("owner") ? "owner" : names[0]));
    by("pipeline-lead").textContent = `${funnel.funnel_name}: what is open, what moved it, and what will be won. Amounts are in ${catalogue.currency}.`;
    by("left-out").replaceChildren(...funnel.left_out.map((text) => {
      const line = document.createElement("li");
      line.textContent = text;
      return line;
    }));
    update();
  }

  function update(only) {
    showTiles();
    window.report.redraw(only);
    window.report.store(state);
  }

  state.funnel = fill(by("filter-funnel"), catalogue.pipelines.map((one) => [one.funnel_id, one.funnel_name]), state.funnel);
  for (const name of ["days", "measure"]) {
    const select = by(`filter-${name}`);
    if ([...select.options].some((option) => option.value === state[name])) select.value = state[name];
    state[name] = select.value;
    select.addEventListener("change", () => {
      state[name] = select.value;
      update();
    });
  }
  by("by-segment").addEventListener("change", (event) => {
    state.by = event.target.value;
    update(["fig-by"]);
  });
  const reload = () => load(catalogue.pipelines.find((one) => one.funnel_id === state.funnel), show);
  by("filter-funnel").addEventListener("change", (event) => {
    Object.assign(state, { funnel: event.target.value, by: null });
    reload();
  });
  reload();
})();
