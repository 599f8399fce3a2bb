-- The tokens of `meta_accounts` and `pages`, and what `token_refresh_log` tells of them, as CSV.
COPY (
    SELECT 'user-' || meta_user_id AS label, 'user' AS type, access_token, meta_user_id AS user_id,
           NULL AS page_id, NULL AS parent, NULL AS kind, created_at AS created, expires_at,
           NULL AS error
    FROM meta_accounts
  UNION ALL
    SELECT 'page-' || p.page_id, 'page', p.page_access_token, NULL, p.page_id,
           'user-' || a.meta_user_id, NULL, p.created_at, p.token_expires_at, NULL
    FROM pages p LEFT JOIN meta_accounts a ON a.id = p.meta_account_id
  UNION ALL
    SELECT coalesce('page-' || p.page_id, 'user-' || a.meta_user_id), NULL, NULL, NULL, NULL, NULL,
           CASE WHEN l.success THEN 'refreshed' ELSE 'refresh_failed' END, l.refreshed_at,
           l.new_expires_at, l.error_message
    FROM token_refresh_log l
    LEFT JOIN meta_accounts a ON a.id = l.meta_account_id
    LEFT JOIN pages p ON p.id = l.page_id
) TO STDOUT WITH (FORMAT csv, HEADER)
