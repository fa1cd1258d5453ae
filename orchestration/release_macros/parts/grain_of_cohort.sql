case when grain in ('year', 'quarter', 'month', 'week', 'day') then grain else 'day' end
