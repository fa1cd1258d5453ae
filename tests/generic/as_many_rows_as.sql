{#- One row if the model has not exactly as many rows as another: a join lost or multiplied some. -#}
{% test as_many_rows_as(model, other) %}

select
    found.row_count as found,
    expected.row_count as expected,
from (select count(*) as row_count from {{ model }}) as found
cross join (select count(*) as row_count from {{ other }}) as expected
where found.row_count != expected.row_count

{% endtest %}
