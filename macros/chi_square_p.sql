{#- How likely a chi-square of that many degrees of freedom is at least x, as double; null for null.
    The finite sum for whole degrees, up to 11: of an even number exp(-x/2) times the sum of
    (x/2)^i / i!, of an odd one the normal tail and a sum of halves. Null for more degrees. `x` and
    `degrees` are columns: they are repeated. -#}
{% macro chi_square_p(x, degrees) -%}
    {%- set factorials = [1, 2, 6, 24] -%}
    {%- set gammas = [
        0.886226925452758, 1.329340388179137, 3.3233509704478426, 11.631728396567448,
        52.34277778455352
    ] -%}
    {%- set even_terms, odd_terms = ['1e0'], ['0e0'] -%}
    {%- for factorial in factorials -%}
        {%- do even_terms.append(
            'case when ' ~ degrees ~ ' > ' ~ 2 * loop.index ~ ' then power(' ~ x ~ ' / 2e0, '
            ~ loop.index ~ ') / ' ~ factorial ~ 'e0 else 0e0 end'
        ) -%}
    {%- endfor -%}
    {%- for gamma in gammas -%}
        {%- do odd_terms.append(
            'case when ' ~ degrees ~ ' > ' ~ (2 * loop.index - 1) ~ ' then power(' ~ x ~ ' / 2e0, '
            ~ (loop.index - 0.5) ~ ') / ' ~ gamma ~ 'e0 else 0e0 end'
        ) -%}
    {%- endfor -%}
    case
        when {{ degrees }} in (2, 4, 6, 8, 10)
            then exp(-{{ x }} / 2e0) * ({{ even_terms | join(' + ') }})
        when {{ degrees }} in (1, 3, 5, 7, 9, 11)
            then
                {{ normal_two_sided_p('sqrt(' ~ x ~ ')') }}
                + exp(-{{ x }} / 2e0) * ({{ odd_terms | join(' + ') }})
    end
{%- endmacro %}
