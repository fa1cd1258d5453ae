{#- How likely a standard normal number is at least as far from 0 as z, on either side, as double:
    erfc(|z| / sqrt(2)). A product of rational functions and the exponential (M. Dia, Approximate
    Incomplete Integrals, Application to Complementary Error Function, 2023), with a relative error
    below 1e-12 up to |z| = 37, the end of what a double holds. From 0 to 1; null for null. -#}
{% macro normal_two_sided_p(z) -%}
    {%- set x -%} (abs({{ z }}) / 1.4142135623730951e0) {%- endset -%}
    {%- set factors = [
        [2.71078540045147805, 5.80755613130301624, 3.47954057099518960, 12.06166887286239555],
        [3.47469513777439592, 12.07402036406381411, 3.72068443960225092, 8.44319781003968454],
        [4.00561509202259545, 9.30596659485887898, 3.90225704029924078, 6.36161630953880464],
        [5.16722705817812584, 9.12661617673673262, 4.03296893109262491, 5.13578530585681539],
        [5.95908795446633271, 9.19435612886969243, 4.11240942957450885, 4.48640329523408675],
    ] -%}
    case
        when {{ z }} = 0 then 1e0
        -- The least of 1 and nothing would be 1.
        when {{ z }} is not null then
            least(
                1e0,
                exp(-{{ x }} * {{ x }})
                * (0.56418958354775629e0 / ({{ x }} + 2.06955023132914151e0))
                {%- for a, b, c, d in factors %}
                * (
                    (({{ x }} + {{ a }}e0) * {{ x }} + {{ b }}e0)
                    / (({{ x }} + {{ c }}e0) * {{ x }} + {{ d }}e0)
                )
                {%- endfor %}
            )
    end
{%- endmacro %}
