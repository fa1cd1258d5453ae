{#- How far from 0 a standard normal number is with a probability of `tail` on that side, as double:
    1.96 for 0.025. For tails from 1e-10 to below 0.5; null for null. M. J. Wichura, Algorithm
    AS 241: The Percentage Points of the Normal Distribution, Applied Statistics 37 (1988), the
    shorter of both, off by less than 1e-6. -#}
{% macro normal_bound(tail) -%}
    {%- set q = '(0.5e0 - ' ~ tail ~ ')' -%}
    {%- set r = '(0.180625e0 - ' ~ q ~ ' * ' ~ q ~ ')' -%}
    {%- set s = '(sqrt(-ln(' ~ tail ~ ')) - 1.6e0)' -%}
    case
        when {{ tail }} >= 0.075
            then
                {{ q }} * (
                    ((59.109374720e0 * {{ r }} + 159.29113202e0) * {{ r }} + 50.434271938e0)
                    * {{ r }} + 3.3871327179e0
                ) / (
                    ((67.187563600e0 * {{ r }} + 78.757757664e0) * {{ r }} + 17.895169469e0)
                    * {{ r }} + 1e0
                )
        else
            (
                ((0.17023821103e0 * {{ s }} + 1.3067284816e0) * {{ s }} + 2.7568153900e0)
                * {{ s }} + 1.4234372777e0
            ) / ((0.12021132975e0 * {{ s }} + 0.73700164250e0) * {{ s }} + 1e0)
    end
{%- endmacro %}
