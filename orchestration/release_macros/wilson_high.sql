-- Upper end of the 95% Wilson interval of a share, as in
-- select wilson_high(won, closed). Null where there are no trials.
-- example: wilson_high(3, 10)
create macro wilson_high(successes, trials) as
    case
        when coalesce(trials, 0) = 0 then null
        when successes >= trials then 1e0
        else (
            successes + 1.9207294103470627e0
            + 1.959963984540054e0 * sqrt(
                greatest(0e0, cast(successes as double) * (trials - successes) / trials)
                + 0.9603647051735313e0
            )
        ) / (trials + 3.8414588206941254e0)
    end
