with recursive

referrals as (
    select
        funnel_id,
        subject_id,
        person_id,
        referrer_person_id,
        referrer_status,
        acquired_at,
    from {{ ref('int_referrals') }}
),

acquisitions as (
    select
        funnel_id,
        subject_id,
        channel,
        is_won,
        amount,
    from {{ ref('int_acquisitions') }}
),

-- Who signed up twice came the first time.
known_referrals as (
    select
        funnel_id,
        person_id,
        subject_id,
        referrer_person_id,
    from referrals
    where referrer_status = 'known'
    qualify
        row_number() over (
            partition by funnel_id, person_id
            order by acquired_at, subject_id
        ) = 1
),

ancestors as (
    select
        funnel_id,
        person_id,
        subject_id,
        referrer_person_id as ancestor_person_id,
        1 as generations,
    from known_referrals

    union all

    select
        ancestors.funnel_id,
        ancestors.person_id,
        ancestors.subject_id,
        known_referrals.referrer_person_id as ancestor_person_id,
        ancestors.generations + 1 as generations,
    from ancestors
    inner join known_referrals
        on
            ancestors.funnel_id = known_referrals.funnel_id
            and ancestors.ancestor_person_id = known_referrals.person_id
),

chains as (
    select
        funnel_id,
        subject_id,
        max(generations) as generation,
        max_by(ancestor_person_id, generations) as first_person_id,
    from ancestors
    group by funnel_id, subject_id
),

brought as (
    select
        ancestors.funnel_id,
        ancestors.ancestor_person_id as person_id,
        count(case when ancestors.generations = 1 then 1 end) as brought_directly,
        count(*) as brought_in_all,
        count(case when acquisitions.is_won then 1 end) as brought_won,
        cast(coalesce(sum(acquisitions.amount), 0) as decimal(18, 4)) as amount_brought,
        count(case when acquisitions.is_won and acquisitions.amount is null then 1 end)
            as amount_brought_unknown,
    from ancestors
    inner join acquisitions
        on
            ancestors.funnel_id = acquisitions.funnel_id
            and ancestors.subject_id = acquisitions.subject_id
    group by ancestors.funnel_id, ancestors.ancestor_person_id
)

select
    referrals.funnel_id,
    referrals.subject_id,
    referrals.person_id,
    case when referrals.referrer_status != 'unknown' then referrals.referrer_person_id end
        as referrer_person_id,
    referrals.referrer_status,
    chains.first_person_id,
    acquisitions.channel,
    acquisitions.is_won,
    referrals.acquired_at,
    coalesce(chains.generation, 0) as generation,
    acquisitions.amount,
    coalesce(brought.brought_directly, 0) as brought_directly,
    coalesce(brought.brought_in_all, 0) as brought_in_all,
    coalesce(brought.brought_won, 0) as brought_won,
    coalesce(brought.amount_brought, 0) as amount_brought,
    coalesce(brought.amount_brought_unknown, 0) as amount_brought_unknown,
from referrals
inner join acquisitions
    on
        referrals.funnel_id = acquisitions.funnel_id
        and referrals.subject_id = acquisitions.subject_id
left join chains
    on
        referrals.funnel_id = chains.funnel_id
        and referrals.subject_id = chains.subject_id
left join brought
    on
        referrals.funnel_id = brought.funnel_id
        and referrals.person_id = brought.person_id
