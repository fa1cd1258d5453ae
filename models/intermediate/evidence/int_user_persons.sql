with

event_emails as (
    select distinct
        user_id,
        email_hash,
    from {{ ref('stg_events') }}
    where user_id is not null and email_hash is not null
),

contact_emails as (
    select distinct
        user_id,
        email_hash,
    from {{ ref('stg_contacts') }}
    where user_id is not null and email_hash is not null
),

user_emails as (
    select * from event_emails
    union
    select * from contact_emails
),

-- Two users of one e-mail address are one person, who goes by the lower user id.
email_persons as (
    select
        email_hash,
        min(user_id) as person_id,
    from user_emails
    group by all
)

select
    user_emails.user_id,
    user_emails.email_hash,
    min(email_persons.person_id) over (partition by user_emails.user_id) as person_id,
from user_emails
inner join email_persons
    on user_emails.email_hash = email_persons.email_hash
