{#- HMAC-SHA-256 of a text with the secret of the warehouse, as 64 hexadecimal digits; null of null.
    The connection knows the two blocks of RFC 2104 that are made of it (orchestration/hash_key.py). -#}
{% macro keyed_hash(text) -%}
    {{ return(adapter.dispatch('keyed_hash')(text)) }}
{%- endmacro %}

{% macro default__keyed_hash(text) -%}
    sha256(
        {{ hash_pad('outer') }}
        || unhex(sha256({{ hash_pad('inner') }} || encode({{ text }})))
    )
{%- endmacro %}

{#- Without it every hash would be null, and everybody without an address. -#}
{% macro hash_pad(which) -%}
    coalesce(
        cast(getvariable('hash_{{ which }}_pad') as blob),
        cast(error('This connection was not told the secret for keyed hashes.') as blob)
    )
{%- endmacro %}

{% macro spark__keyed_hash(text) -%}
    sha2(concat(
        session.hash_outer_pad,
        unhex(sha2(concat(session.hash_inner_pad, encode({{ text }}, 'UTF-8')), 256))
    ), 256)
{%- endmacro %}
