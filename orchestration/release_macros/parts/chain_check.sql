                case
                    when coalesce(mode not in ('ordered', 'furthest', 'any', 'strict'), true)
                        then 'expected mode ordered, furthest, any or strict, found '
                        || coalesce(cast(mode as varchar), 'null')
                end,
                case
                    when coalesce(entry_policy not in ('best', 'first'), true)
                        then 'expected entry_policy best or first, found '
                        || coalesce(cast(entry_policy as varchar), 'null')
                end,
                case
                    when mode = 'furthest' and window_hours is not null
                        then 'expected no window_hours in the mode furthest, found '
                        || cast(window_hours as varchar)
                end,
                case
                    when try_cast(window_hours as double) <= 0
                        then 'expected window_hours above 0, found '
                        || cast(window_hours as varchar)
                end,
                case
                    when mode in ('any', 'furthest') and len(cast(optional as varchar[])) > 0
                        then 'expected no optional steps in the mode ' || mode
                end,
