            case
                when
                    coalesce(grain not in ('all', 'year', 'quarter', 'month', 'week', 'day'), true)
                    then 'expected grain all, year, quarter, month, week or day, found '
                    || coalesce(cast(grain as varchar), 'null')
            end,
            case
                when grain = 'all' and cohort is not null
                    then 'expected no cohort of the grain all, found ' || cast(cohort as varchar)
            end,
            case
                when
                    grain != 'all'
                    and coalesce(
                        cast(date_trunc($grain_of_cohort, cast(cohort as date)) as date)
                        != cast(cohort as date), true
                    )
                    then 'expected cohort as the first day of a ' || grain || ', found '
                    || coalesce(cast(cohort as varchar), 'null')
            end
