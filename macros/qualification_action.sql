{#- What to do with a lead of a class that `qualification_class` gives: find out first what is not
    known, unless money, authority and need are all known. -#}
{% macro qualification_action(class) -%}
    case {{ class }}
        when 'MAN' then 'sell: the ideal prospect'
        when 'MAn' then 'contact, with skilled selling'
        when 'MaN' then 'contact, and find who has the authority'
        when 'mAN' then 'check business and credit, offer financing'
        when 'maN' then 'watch and develop over time'
        when 'mAn' then 'watch and develop over time'
        when 'Man' then 'watch and develop over time'
        when 'man' then 'stop'
        when 'all' then null
        else 'find out what is unknown'
    end
{%- endmacro %}
