{#- Rows for which a condition does not hold. A condition that is null holds for nobody. -#}
{% test holds_for_every_row(model, condition) %}

select *
from {{ model }}
where not coalesce({{ condition }}, false)

{% endtest %}
