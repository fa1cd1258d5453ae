case when breakdown in ('year', 'quarter', 'month', 'week', 'day') then breakdown else 'day' end
