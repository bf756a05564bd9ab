#include "config/key_table.h"

#include <algorithm>

namespace mlalert {
namespace {

// As on the page: a heading, then `| keys | type | default | meaning |`. Several keys of a row share type and
// default, or have theirs in the same order. Types that config_schema.cc knows are listed there.
constexpr std::string_view kTable = R"table(
## Top level
| `global` | map | | [defaults for receivers](#global) |
| `route` | map | required | [who is told](#route) |
| `receivers` | list | required | [how](#receivers) |
| `inhibit_rules` | list | none | [whose alert keeps whose quiet](#inhibit_rules) |
| `time_intervals` | list | none | [named hours](#time_intervals) for routes |
| `mute_time_intervals` | list | none | old name of `time_intervals` |
| `templates` | list of globs | none | template files, parsed at load. A pattern that matches nothing is no error |
| `datasources` | list | none | [whom rules ask](#datasources). Without one no rule is evaluated |
| `rule_files` | list of globs, or of `{files, datasource}` | none | Prometheus rule files, and [whom their rules ask](#rule_files). A pattern that matches nothing is a warning. Recording rules are reported and left to Prometheus |
| `evaluation` | map | | [how rules are evaluated](#evaluation) |
| `no_data_policies` | list | none | [what becomes of alerts whose series are gone](#no_data_policies) |
| `alerting` | map | none | [other Alertmanagers](#alerting) that get the alerts of rules too, as in `prometheus.yml` |
| `heartbeat` | map | none | [a URL that is called while all is well](#heartbeat) |
| `incidents` | map | | [what one incident is](#incidents) |
| `calendars` | list | none | [when people work](#calendars): business hours and holidays |
| `schedules` | list | none | [who is on call](#schedules): a receiver name may be that of a schedule |
| `incident_policies` | list | none | [severity, chain, calm](#incident_policies) |
| `response_targets` | map | as shipped, with policies | [by when somebody ought to act](#response_targets) |
| `storm` | map | none | [one message for many incidents](#storm) |
| `rate_limits` | list | none | [how often a receiver is told](#rate_limits) |
| `recurring_silences` | list | none | [silences that come back](#recurring_silences) |
| `inbound` | map | | [acting from outside](#inbound): links, Slack, PagerDuty, phone |
| `history` | map | | [how long it is kept](#history) |
| `review` | map | | [the weekly review](#review) |
| `models` | list | none | [catalogue of models](#models): shown above a runbook (`--runbooks.path`) |
| `tracing` | map | none | [checked only](#tracing): no spans are sent |
| `event_recorder` | map | none | [checked only](#event_recorder) |
| `chain` | | | refused: not supported yet |

### `global`
| `resolve_timeout` | duration | `5m` | an alert that came through `/api/v2/alerts` without `endsAt` resolves this long after it was last sent. Prometheus always sends `endsAt` |
| `http_config` | map | | [HTTP client](#http_config) of receivers that have none of their own |
| `smtp_smarthost` | `host:port` | | mail server |
| `smtp_from` | text | | sender |
| `smtp_hello` | text | `localhost` | name in EHLO |
| `smtp_auth_username`, `smtp_auth_identity` | text | | PLAIN, LOGIN and CRAM-MD5 |
| `smtp_auth_password`, `smtp_auth_password_file` | secret, path | | PLAIN and LOGIN |
| `smtp_auth_secret`, `smtp_auth_secret_file` | secret, path | | CRAM-MD5 |
| `smtp_require_tls` | bool | `true` | STARTTLS or nothing |
| `smtp_force_implicit_tls` | bool | port 465 | TLS from the first byte |
| `smtp_tls_config` | map | system CAs | [TLS](#http_configtls_config); its files are relative to the working directory |
| `slack_api_url`, `slack_api_url_file` | secret URL, path | | webhook URL of receivers that name none |
| `slack_app_token`, `slack_app_token_file` | secret, path | | bot token; then the Web API is used |
| `slack_app_url` | URL | `https://slack.com/api/chat.postMessage` | address of the Web API |
| `pagerduty_url` | URL | `https://events.pagerduty.com/v2/enqueue` | |
| `opsgenie_api_url` | URL | `https://api.opsgenie.com/` | |
| `opsgenie_api_key`, `opsgenie_api_key_file` | secret, path | | |
| `victorops_api_url` | URL | `https://alert.victorops.com/integrations/generic/20131114/alert/` | |
| `victorops_api_key`, `victorops_api_key_file` | secret, path | | |
| `wechat_api_url` | URL | `https://qyapi.weixin.qq.com/cgi-bin/` | |
| `wechat_api_secret`, `wechat_api_secret_file` | secret, path | | |
| `wechat_api_corp_id` | text | | |
| `telegram_api_url` | URL | `https://api.telegram.org` | |
| `telegram_bot_token`, `telegram_bot_token_file` | secret, path | | |
| `webex_api_url` | URL | `https://webexapis.com/v1/messages` | |
| `rocketchat_api_url` | URL | `https://open.rocket.chat/` | |
| `rocketchat_token`, `rocketchat_token_file` | secret, path | | |
| `rocketchat_token_id`, `rocketchat_token_id_file` | secret, path | | |
| `mattermost_webhook_url`, `mattermost_webhook_url_file` | secret URL, path | | |
| `jira_api_url` | URL | | |

### `route`
| `receiver` | name | required at the root | a name of `receivers` |
| `matchers` | matchers | none: matches all | all must match; not allowed at the root |
| `match`, `match_re` | map | | deprecated forms of `matchers` |
| `group_by` | list of labels | none: one group | alerts with equal values share a notification; `['...']` groups by all labels |
| `group_wait` | duration | `30s` | wait before the first notification of a new group |
| `group_interval` | duration | `5m` | time between looks at a group; also how long one notification is retried (at least 10 s) |
| `repeat_interval` | duration | `4h` | tell again what still fires; acknowledged incidents are not repeated |
| `continue` | bool | `false` | try the following routes too |
| `labels` | map of templates | none | given to templates as `.RouteLabels` |
| `routes` | list | none | children, same keys |
| `mute_time_intervals` | list of names | none | notify nobody inside these; not allowed at the root |
| `active_time_intervals` | list of names | none: always | notify only inside these; not allowed at the root |

### `inhibit_rules[]`
| `name` | text | | for people |
| `source_matchers`, `target_matchers` | matchers | | what inhibits, what is inhibited |
| `source_match`, `source_match_re`, `target_match`, `target_match_re` | map | | deprecated forms |
| `equal` | list of labels | | labels both must share |

### `time_intervals[]`
| `name` | text | required | |
| `time_intervals` | list | | the periods |

### `time_intervals[].time_intervals[]`
| `times` | list | all day | |
| `weekdays` | list | all | `monday`, `'monday:friday'` |
| `days_of_month` | list | all | `'1:5'`, `'-3:-1'` |
| `months` | list | all | `'january:march'`, `'12'` |
| `years` | list | all | `'2026:2030'` |
| `location` | time zone | UTC | `Europe/Paris`; must exist under `/usr/share/zoneinfo` |

### `time_intervals[].time_intervals[].times[]`
| `start_time`, `end_time` | `HH:MM` | required | `00:00` to `24:00`; start before end |

### `tracing`
| `endpoint` | text | required | `host:port` |
| `client_type` | `grpc`, `http` | `grpc` | |
| `sampling_fraction` | number | `0` | |
| `insecure` | bool | `false` | |
| `tls_config` | map | none | [TLS](#http_configtls_config) |
| `headers` | map | none | as [http_headers](#http_confighttp_headersname) |
| `compression` | `gzip` | none | |
| `timeout` | duration | none | |

### `event_recorder`
| `file_outputs`, `webhook_outputs`, `kafka_outputs`, `stdout_outputs` | list | none | |

### `event_recorder.file_outputs[]`
| `path` | path | | |

### `event_recorder.webhook_outputs[]`
| `url` | URL | | |
| `http_config` | map | defaults | [HTTP client](#http_config) |
| `timeout` | duration | `10s` | |
| `workers`, `max_retries` | number | `4`, `3` | |
| `retry_backoff` | duration | `500ms` | |
| `batch` | bool | `false` | |
| `batch_max_events`, `batch_max_bytes` | number | `100`, `1048576` | |
| `batch_flush_interval` | duration | `100ms` | |

### `event_recorder.kafka_outputs[]`
| `brokers` | list | | |
| `topic`, `client_id`, `compression` | text | | |
| `format`, `acks` | text | `json`, `leader` | |
| `buffer_size` | number | `1024` | |
| `tls_config` | map | none | [TLS](#http_configtls_config) |

### `receivers[]`
| `name` | text | required, unique | |
| `labels` | map | its `name` | for the `receiver_matchers` filter of `/api/v2/alerts` and `/api/v2/receivers` |
| `webhook_configs`, `email_configs`, `pagerduty_configs`, `slack_configs`, `opsgenie_configs`, `victorops_configs`, `pushover_configs`, `sns_configs` | list | none | sections below |
| `telegram_configs`, `discord_configs`, `msteams_configs`, `msteamsv2_configs`, `webex_configs`, `wechat_configs`, `rocketchat_configs`, `mattermost_configs` | list | none | sections below |
| `jira_configs`, `incidentio_configs` | list | none | sections below |
| `twilio_configs` | list | none | ours: [phone and SMS](#receiverstwilio_configs) |

### `receivers[].webhook_configs[]`
| `url` | secret URL, template | one of the two | |
| `url_file` | path | one of the two | |
| `send_resolved` | bool | `true` | tell the end too |
| `max_alerts` | number | `0`: all | alerts per call; the rest is counted in `truncatedAlerts` |
| `timeout` | Go duration | none | of one attempt; without it only `group_interval` ends it |
| `http_config` | map | `global`'s | [HTTP client](#http_config); replaces the global one as a whole |
| `payload` | any tree | version 4 body | body of the call. Keys and texts are templates. Below the top, keys that YAML reads as bool or number (`n:`, `1:`) are dropped, as in Alertmanager: write `"n":` |

### `receivers[].slack_configs[]`
| `api_url`, `api_url_file` | secret URL, path | `global`'s | incoming webhook |
| `app_token`, `app_token_file` | secret, path | `global`'s | bot token; not together with `api_url` or an `authorization` in `http_config` |
| `app_url` | URL | `global`'s | address of the Web API |
| `send_resolved` | bool | **`false`** | tell the end too. You want `true` |
| `channel` | template | empty | `#ml-alerts` or `@user`. A webhook may ignore it, the Web API needs it |
| `username`, `color`, `title`, `title_link`, `pretext`, `text`, `fallback`, `callback_id`, `footer`, `icon_emoji`, `icon_url` | template | `slack.default.*` | texts of the message |
| `message_text` | template | empty | top-level text of the message |
| `image_url`, `thumb_url` | template | empty | |
| `fields` | list | none | |
| `actions` | list | none | |
| `short_fields` | bool | `false` | `short` of fields that do not say |
| `link_names` | bool | `false` | turn `@name` into links |
| `mrkdwn_in` | list | `[fallback, pretext, text]` | where Slack reads markup |
| `update_message` | bool | `false` | edit one message instead of posting anew; needs a bot token |
| `buttons` | bool | `false` | ours: Acknowledge, Snooze 1h, Resolve, Not actionable under the message; needs `inbound.slack` |
| `timeout` | Go duration | none | of one attempt |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |

### `receivers[].slack_configs[].fields[]`
| `title`, `value` | template | required | |
| `short` | bool | `short_fields` | two fields per line |

### `receivers[].slack_configs[].actions[]`
| `type`, `text` | template | required | `type: button` |
| `url` | template | | link; then `name`, `value` and `confirm` are dropped |
| `name`, `value` | template | | for interactive messages; `url` or `name` is required |
| `style` | template | | `primary`, `danger` |
| `confirm` | map | none | question before the action |

### `receivers[].slack_configs[].actions[].confirm`
| `text` | template | required | |
| `title`, `ok_text`, `dismiss_text` | template | empty | |

### `receivers[].pagerduty_configs[]`
| `routing_key`, `routing_key_file` | secret template, path | one of the four | Events API v2 |
| `service_key`, `service_key_file` | secret template, path | one of the four | Events API v1, at PagerDuty's own address whatever `url` says |
| `url` | URL | `global.pagerduty_url` | |
| `send_resolved` | bool | `true` | resolve the page too |
| `client`, `client_url`, `description` | template | `pagerduty.default.*` | |
| `source` | template | value of `client` | |
| `severity` | template | `error` | left at `error`, it follows alerts whose label `severity` is P0 to P3: `critical`, `error`, `warning`, `info` |
| `class`, `component`, `group` | template | empty | |
| `details` | map of templates, any depth | | `firing`, `resolved`, `num_firing`, `num_resolved` are added unless you set them |
| `images` | list | none | |
| `links` | list | none | |
| `timeout` | Go duration | none | of one attempt |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |

### `receivers[].pagerduty_configs[].images[]`
| `src`, `alt`, `href` | template | empty | |

### `receivers[].pagerduty_configs[].links[]`
| `href`, `text` | template | empty | |

### `receivers[].email_configs[]`
| `to` | addresses, template | required | comma separated |
| `from` | address, template | `smtp_from` | neither is an error |
| `smarthost` | `host:port` | `smtp_smarthost` | neither is an error |
| `hello` | text | `smtp_hello` | |
| `auth_username`, `auth_identity` | text | `global`'s | |
| `auth_password`, `auth_password_file` | secret, path | `global`'s | PLAIN and LOGIN |
| `auth_secret`, `auth_secret_file` | secret, path | `global`'s | CRAM-MD5; the file is used as it is, not trimmed |
| `headers` | map of templates | Subject, To, From | `Subject: email.default.subject`; names without regard to case |
| `html` | template | `email.default.html` | empty: no HTML part |
| `text` | template | empty | plain text part |
| `require_tls` | bool | `smtp_require_tls` | STARTTLS or nothing |
| `force_implicit_tls` | bool | `smtp_force_implicit_tls` | TLS from the first byte |
| `tls_config` | map | `smtp_tls_config` | [TLS](#http_configtls_config); files relative to the working directory |
| `threading` | map | off | one thread per group |
| `send_resolved` | bool | **`false`** | tell the end too |

### `receivers[].email_configs[].threading`
| `enabled` | bool | `false` | sets References and In-Reply-To; not together with headers of these names |
| `thread_by_date` | `none`, `daily` | required when enabled | one thread for ever, or one per day |

### `receivers[].opsgenie_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `api_key`, `api_key_file` | secret template, path | `global`'s | neither is an error |
| `api_url` | URL | `opsgenie_api_url` | a slash is added at the end |
| `message`, `description`, `source` | template | `opsgenie.default.*` | |
| `details` | map of templates | none | added to the common labels |
| `entity`, `note`, `priority` | template | empty | priority `P1` to `P5` |
| `actions`, `tags` | template | empty | comma separated |
| `responders` | list | none | |
| `update_alerts` | bool | `false` | update message and description of an open alert |

### `receivers[].opsgenie_configs[].responders[]`
| `id`, `name`, `username` | template | one of them | `teams`: a comma separated list in `name` |
| `type` | template | required | `team`, `teams`, `user`, `escalation`, `schedule` |

### `receivers[].victorops_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `api_key`, `api_key_file` | secret, path | `global`'s | neither is an error |
| `api_url` | URL | `victorops_api_url` | a slash is added at the end |
| `routing_key` | template | required | |
| `message_type` | template | `CRITICAL` | |
| `state_message`, `entity_display_name`, `monitoring_tool` | template | `victorops.default.*` | |
| `custom_fields` | map of templates | none | names of fixed fields are refused |

### `receivers[].pushover_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `user_key`, `user_key_file` | secret, path | one of the two | the file is used as it is, not trimmed |
| `token`, `token_file` | secret, path | one of the two | the same |
| `title`, `message`, `url` | template | `pushover.default.*` | |
| `url_title`, `device`, `sound` | template | empty | |
| `priority` | template | 2 firing, 0 resolved | |
| `retry` | Go duration | `1m` | of an emergency |
| `expire` | Go duration | `1h` | of an emergency |
| `ttl` | Go duration | none | |
| `html`, `monospace` | bool | `false` | at most one |

### `receivers[].sns_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `topic_arn`, `target_arn`, `phone_number` | template | one of the three | |
| `api_url` | template | of the region | |
| `sigv4` | map | environment | |
| `subject`, `message` | template | `sns.default.*` | |
| `attributes` | map of templates | none | |
| `use_aws_http_client` | bool | `false` | accepted for compatibility |

### `receivers[].sns_configs[].sigv4`
| `region` | text | of the environment | |
| `access_key`, `secret_key` | text, secret | of the environment | both or none |
| `profile` | text | | of the shared credentials file |
| `role_arn` | text | | role to assume |
| `external_id` | text | | for the role |

### `receivers[].telegram_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `bot_token`, `bot_token_file` | secret, path | `global`'s | neither is an error |
| `chat_id`, `chat_id_file` | number, path | one of the two | |
| `api_url` | URL | `telegram_api_url` | |
| `message_thread_id` | number | none | topic of a group |
| `message` | template | `telegram.default.message` | |
| `parse_mode` | `HTML`, `Markdown`, `MarkdownV2`, empty | `HTML` | |
| `disable_notifications` | bool | `false` | deliver without a sound |

### `receivers[].discord_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `webhook_url`, `webhook_url_file` | secret URL, path | one of the two | |
| `content` | template | empty | |
| `title`, `message` | template | `discord.default.*` | |
| `username`, `avatar_url` | text | the webhook's | no templates |

### `receivers[].msteams_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `webhook_url`, `webhook_url_file` | secret URL, path | one of the two | |
| `title`, `summary`, `text` | template | `msteams.default.*` | |

### `receivers[].msteamsv2_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `webhook_url`, `webhook_url_file` | secret URL, path | one of the two | |
| `title`, `text` | template | `msteamsv2.default.*` | |

### `receivers[].webex_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | required | its `authorization` holds the bot token |
| `room_id` | template | required | |
| `api_url` | URL | `webex_api_url` | |
| `message` | template | `webex.default.message` | |

### `receivers[].wechat_configs[]`
| `send_resolved` | bool | **`false`** | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `api_secret`, `api_secret_file` | secret template, path | `global`'s | neither is an error |
| `corp_id` | template | `wechat_api_corp_id` | neither is an error |
| `api_url` | URL | `wechat_api_url` | a slash is added at the end |
| `message`, `to_user`, `to_party`, `to_tag`, `agent_id` | template | `wechat.default.*` | |
| `message_type` | `text`, `markdown` | `text` | |

### `receivers[].rocketchat_configs[]`
| `send_resolved` | bool | **`false`** | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `token`, `token_file` | secret, path | `global`'s | neither is an error; read once per load |
| `token_id`, `token_id_file` | secret, path | `global`'s | the same |
| `api_url` | URL | `rocketchat_api_url` | |
| `channel` | template | empty | `#room` or `@user` |
| `color` | template | red or green | |
| `title`, `title_link`, `text`, `emoji`, `icon_url` | template | `rocketchat.default.*` | |
| `image_url`, `thumb_url` | template | empty | |
| `fields` | list | none | |
| `short_fields` | bool | `false` | `short` of fields that do not say |
| `link_names` | bool | `false` | |
| `actions` | list | none | |

### `receivers[].rocketchat_configs[].fields[]`
| `title`, `value` | template | empty | |
| `short` | bool | `short_fields` | |

### `receivers[].rocketchat_configs[].actions[]`
| `type`, `text`, `url`, `msg` | template | empty | |
| `imageurl`, `webviewheightratio`, `msgprocessingtype` | text | empty | |
| `iswebview`, `msginchatwindow` | bool | `false` | |

### `receivers[].mattermost_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `webhook_url`, `webhook_url_file` | secret URL, path | `global`'s | neither is an error |
| `channel` | template | empty | |
| `username` | template | `mattermost.default.username` | |
| `fallback`, `color`, `text`, `title`, `title_link` | template | `mattermost.default.*` | |
| `pretext`, `author_name`, `author_link`, `author_icon`, `thumb_url`, `footer`, `footer_icon`, `image_url` | template | empty | |
| `fields` | list | none | |
| `attachments` | list | none | replace the texts above |
| `icon_url`, `icon_emoji` | template | empty | |
| `type` | template | empty | |
| `props` | map | none | |
| `priority` | map | none | |

### `receivers[].mattermost_configs[].fields[]`
| `title`, `value` | template | required | |
| `short` | bool | `false` | |

### `receivers[].mattermost_configs[].attachments[]`
| `fallback`, `color`, `text`, `title`, `title_link` | template | empty | |
| `pretext`, `author_name`, `author_link`, `author_icon`, `thumb_url`, `footer`, `footer_icon`, `image_url` | template | empty | |
| `fields` | list | none | `title` and `value` required, `short` |

### `receivers[].mattermost_configs[].props`
| `card` | template | empty | |

### `receivers[].mattermost_configs[].priority`
| `priority` | template | empty | `urgent`, `important`, `standard` |
| `requested_ack`, `persistent_notifications` | bool | `false` | |

### `receivers[].jira_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config) |
| `api_url` | URL | `jira_api_url` | neither is an error |
| `api_type` | `auto`, `cloud`, `datacenter` | `auto` | |
| `project`, `issue_type` | template | required | |
| `summary`, `description` | template or map | `jira.default.*` | |
| `labels` | list of templates | none | beside the one that marks the group |
| `priority` | template | `jira.default.priority` | |
| `reopen_transition`, `resolve_transition`, `wont_fix_resolution` | text | none | |
| `reopen_duration` | duration | none | older issues are not reopened |
| `fields` | map of templates, any depth | none | further fields of the issue |

### `receivers[].jira_configs[].summary`
| `template` | template | empty | |
| `enable_update` | bool | `true` | write it again at an update |

### `receivers[].jira_configs[].description`
| `template` | template | empty | |
| `enable_update` | bool | `true` | write it again at an update |

### `receivers[].incidentio_configs[]`
| `send_resolved` | bool | `true` | tell the end too |
| `http_config` | map | `global`'s | [HTTP client](#http_config); its files are relative to the working directory |
| `url`, `url_file` | URL, path | one of the two | |
| `alert_source_token`, `alert_source_token_file` | secret, path | | or an `authorization` in `http_config`; the file is read once per load |
| `max_alerts` | number | `0`: all | alerts per call |
| `timeout` | Go duration | none | of one attempt |

### `receivers[].twilio_configs[]`
| `account_sid` | text | required | |
| `auth_token`, `auth_token_file` | secret, path | one of the two | also what callbacks are checked with |
| `from` | phone number | required | a number of yours at Twilio; for SMS also a sender's name or a messaging service (`MG...`) |
| `to` | list of phone numbers, or one | required | with country, quoted: `"+14155550100"`. A call goes to one after the other until a key is pressed; an SMS to all |
| `method` | `call`, `sms` | `call` | |
| `message` | template | severity, alert names and `summary` of the first three | spoken, or sent |
| `language`, `voice` | text | `en-US`, Twilio's | of the voice |
| `ring_timeout` | duration | `30s` | 5 s to 10 min; above about 25 s a mailbox may answer |
| `machine_detection` | bool | `false` | let Twilio find out whether a machine answered; costs extra, and no key is no key without it too |
| `send_resolved` | bool | `false` | tell the end too, by SMS only |
| `api_url` | URL | `https://api.twilio.com` | |
| `timeout` | Go duration | none | of one attempt |
| `http_config` | map | `global`'s | [HTTP client](#http_config), without credentials |

### `datasources[]`
| `name` | text | `default` | unique; a label in `/metrics` and in `DatasourceUnreachable` |
| `url` | URL | required | anything that speaks Prometheus' query API, path included: `http://mimir/prometheus`. `user:password@` becomes basic auth |
| `failover_urls` | list of URLs | none | the same data elsewhere. A query that is not answered is asked again at the next URL, with the same time; that one stays until it fails, or for 5 minutes, after which `url` is tried again. `DatasourceUnreachable` fires only when none answers |
| `timeout` | duration | `30s` | of one query with its retries; never longer than the group's interval |
| `concurrency` | 1 to 256 | `evaluation.concurrency` | queries to this source at once |
| `method` | `POST`, `GET` | `POST` | a source that answers 405 is asked by GET from then on by itself |
| `params` | map of text or list | none | sent with each query, e.g. `nocache: 1` or `extra_label: [team=ml]`. Not `query`, `time`, `timeout` |
| `dialect` | `promql`, `metricsql` | `promql` | `metricsql`: an `expr` that is not PromQL is a warning and not an error; only the server can check it, and a vanished series cannot be told from a false condition |
| `headers` | map | none | sent with each query, e.g. `X-Scope-OrgID`. For secrets use `http_headers` of `http_config`, which can read files |
| `http_config` | map | defaults | [HTTP client](#http_config); the one of `global` is not used here |

### `rule_files[]`
| `files` | list of globs | required | relative to the configuration file |
| `datasource` | name | the first one | whom their rules ask |

### `evaluation`
| `datasource_label` | label name | none | a group with this label asks the source of that name; the label stays on its alerts |
| `interval` | duration | `1m` | of groups that set none |
| `query_offset` | duration | `0s` | ask for the state so long ago, for metrics that arrive late; a group's own wins |
| `concurrency` | 1 to 256 | `4` | queries to the data source at once |
| `resend_delay` | duration | `1m` | how often a firing rule alert is refreshed inside mlalert |
| `no_data` | `hold`, `alert`, `resolve` | `hold` | firing, and its series are gone: what happens where no entry of [`no_data_policies`](#no_data_policies) matches |
| `hold_max` | duration | `24h` | how long an alert is held at most while nothing is known about it; `0s`: for ever. While a rule cannot be evaluated it is counted from the first failure that this process saw, and the alert then ends by itself, 4 times the longer of interval and `resend_delay` later |
| `external_labels` | map of text | none | `$externalLabels` in templates; and on alerts sent to other Alertmanagers, where they have no such label |
| `watchdog` | bool | `false` | an alert `Watchdog` (`severity="none"`) that always fires, so that something outside notices when alerting breaks |

### `no_data_policies[]`
| `matchers` | matchers | none: takes all | |
| `action` | `hold`, `alert`, `resolve` | required | `hold`: it goes on firing. `alert`: the same, and a rule whose series do not exist raises `RuleNoData`, whether it ever fired or not. `resolve`: it ends, as under Prometheus; nobody asks |
| `hold_max` | duration | `evaluation.hold_max` | then the alert is resolved, with an event `hold_expired`; `0s`: never |
| `after` | duration | `5m` | without data for so long before `RuleNoData` fires |
| `severity` | `P0`, `P1`, `P2`, `P3` | `P2` | of `RuleNoData` |

### `alerting`
| `alert_relabel_configs` | list | none | [relabeling](#alertingalert_relabel_configs) of every alert; `drop` keeps it from all of them |
| `alertmanagers` | list | none | [where to](#alertingalertmanagers) |

### `alerting.alertmanagers[]`
| `scheme` | `http`, `https` | `http` | |
| `path_prefix` | text | `/` | in front of `/api/v2/alerts` |
| `timeout` | duration | `10s` | of one call |
| `api_version` | `v2` | `v2` | |
| `static_configs` | list | none | [targets](#alertingalertmanagersstatic_configs) |
| `relabel_configs` | list | none | of targets, before they are called: `__address__`, `__scheme__`, `__alerts_path__` and the labels of their entry |
| `alert_relabel_configs` | list | none | of alerts for these targets, after the global ones |
| `basic_auth`, `authorization`, `oauth2`, `bearer_token`, `bearer_token_file`, `tls_config`, `follow_redirects`, `enable_http2`, `proxy_url`, `no_proxy`, `proxy_from_environment`, `proxy_connect_header`, `http_headers` | | | as in [http_config](#http_config) |
| `azure_sd_configs`, `consul_sd_configs`, `dns_sd_configs`, `docker_sd_configs`, `ec2_sd_configs`, `eureka_sd_configs`, `file_sd_configs`, `gce_sd_configs`, `http_sd_configs`, `kubernetes_sd_configs`, `nomad_sd_configs`, `openstack_sd_configs`, `sigv4` | | | refused: mlalert discovers nothing |

### `alerting.alertmanagers[].static_configs[]`
| `targets` | list | none | `host:port`; every one gets every alert, so list all members of a cluster |
| `labels` | map of text | none | for `relabel_configs` |

### `alerting.alert_relabel_configs[]`
| `source_labels` | list of labels | none | their values, joined by `separator` |
| `separator` | text | `;` | |
| `regex` | regex | `(.*)` | anchored at both ends |
| `modulus` | number | | of `hashmod` |
| `target_label` | text | | what is written; for `replace` it may hold `$1` |
| `replacement` | text | `$1` | also `${1}`, `${name}` |
| `action` | `replace`, `keep`, `drop`, `keepequal`, `dropequal`, `hashmod`, `labelmap`, `labeldrop`, `labelkeep`, `lowercase`, `uppercase` | `replace` | in any case |

### `heartbeat`
| `url` | secret URL | required | who is called |
| `interval` | duration | `1m` | how often |
| `timeout` | duration | `10s` | of one call |
| `method` | `GET`, `POST` | `GET` | |
| `http_config` | map | defaults | [HTTP client](#http_config) |

### `incidents`
| `identity` | list of labels | empty: all labels | labels that make an incident. `severity` is not allowed |
| `reopen_window` | duration | `30m` | fires again within this time: the same incident reopens |
| `resolve_hold` | duration | `24h` | resolved by hand and firing on: it opens again after this |

### `incident_policies[]`
| `name` | text | required, unique | |
| `matchers` | matchers | none: takes all | see the labels as received |
| `cooldown` | duration | `30m` | an incident that was told and fires again is not told again before; never hides a raise. `0s`: none |
| `ladder` | map | none | severity rises with age |
| `acknowledge` | map | | |
| `chain` | map, or the list of its steps | none | whom to tell while nobody acts |
| `business_hours` | map | none | what happens to messages outside them |
| `flapping` | map | none | when firing and resolving all the time is told once |

### `incident_policies[].ladder`
| `steps` | list | required | rising in time and in severity |
| `quiet_before_first_step` | bool | `false` | tell nobody before the first step |
| `clock` | `wall`, `business` | `wall` | `business` counts only the hours of the calendar |
| `calendar` | name | none; required by `business` | also the night guard: while it is closed, age alone raises nothing to P1. Without it a policy with `business_hours` pages by age at any hour, which is a warning |
| `wake` | bool | `false` | no night guard |
| `cap` | `P3`, `P2`, `P1` | `P1` | no step may lead higher |

### `incident_policies[].ladder.steps[]`
| `after` | duration | required | time spent open and not acknowledged |
| `severity` | `P3`, `P2`, `P1` | required | raised to this, never lowered. P0 is not reached by waiting |

### `incident_policies[].chain`
| `steps` | list | required | rising in time |
| `repeat` | map | none | what follows the last step |
| `fallback` | list of names | none | told when a step reaches nobody, and when nobody has acted `repeat.every` after the last step |

### `incident_policies[].chain.steps[]`
| `after` | duration | required | since the chain began; stands while somebody has it in hand or it is silenced |
| `receivers` | list of names | required | receivers or schedules. One that the routes tell already is not told twice |
| `matchers` | matchers | none: always | on the labels as routing sees them |
| `severities` | list of `P0`..`P3` | all | only while the incident is one of these. Those that no alert of the policy has and no step of its ladder leads to are a warning |

### `incident_policies[].chain.repeat`
| `times` | 0 to 100 | `1` | further rounds |
| `every` | duration | `30m` | from the last step to the first of the next round |
| `from` | number of a step | `1` | where the next round begins |

### `incident_policies[].business_hours`
| `calendar` | name | required | |
| `outside` | `defer`, `digest`, `drop` | `defer` | told when it opens; told with what cleared meanwhile; not told unless it becomes more severe |
| `always_from` | severity | `P1` | this and worse is told at any hour |

### `incident_policies[].flapping`
| `transitions` | 3 to 100 | `10` | opening and resolving so often |
| `window` | duration | `30m` | within this time, at least `1m`. It is over when half of that is left in the window |

### `incident_policies[].acknowledge`
| `expires` | duration | never | an acknowledgement ends after this, unless it says otherwise. `0s`: never |

### `inbound`
| `public_url` | URL | that of `--web.external-url` | of this mlalert, as phones, Slack and Twilio reach it |
| `links` | map | | signed one-click links |
| `slack` | map | none | buttons |
| `pagerduty` | map | none | webhooks |

### `inbound.links`
| `key`, `key_file` | secret, path | `link.key` in `--storage.path`, made at the first start | what links, buttons and callbacks of calls are signed with; at least 16 bytes |
| `expires` | duration | `24h` | 1 min to 30 d |

### `inbound.slack`
| `signing_secret`, `signing_secret_file` | secret or list, path | one of the two | of the Slack app; several (in the file one per line) while it is replaced |
| `users` | map | none | Slack user id to the name that incidents show |
| `allow_unlinked` | bool | `true` without `users`, else `false` | whether who is not in `users` may act |

### `inbound.pagerduty`
| `webhook_secret`, `webhook_secret_file` | secret or list, path | one of the two | of the webhook subscription; several while it is replaced |
| `trust_remote_resolve` | bool | `false` | a resolve in PagerDuty resolves here while the alert fires on; else it acknowledges, with a note |
| `api_token`, `api_token_file` | secret, path | none | of PagerDuty's REST API, read only: asked every `reconcile_interval` for what no webhook has told |
| `api_url` | URL | `https://api.pagerduty.com` | `https://api.eu.pagerduty.com` for accounts in the EU |
| `reconcile_interval` | duration | `5m` | at least `1s`; the first time 5 s after start and reload |

### `calendars[]`
| `name` | text | required, unique | |
| `time_zone` | IANA name | `UTC` | of its holidays, and of hours that name no `location` |
| `time_intervals` | list | required | hours in which people work: entries as in `time_intervals[].time_intervals[]`, or names of `time_intervals`. A calendar that never opens is an error |
| `holidays` | list of dates | none | closed all day: `2026-12-25` |
| `holiday_files` | list of files | none | [iCalendar files](incidents.md#holidays-from-ics-files) (`.ics`): the local days that their events cover are closed. Read at load |

### `schedules[]`
| `name` | text | required, unique | not the name of a receiver |
| `time_zone` | IANA name | `UTC` | hand-overs keep their time of day when the clocks change |
| `rotations` | list | required | all of them are on call at once |
| `overrides` | list | none | instead of the rotations; the last one that holds counts |

### `schedules[].rotations[]`
| `name` | text | none | |
| `type` | `daily`, `weekly`, `custom` | `weekly` | |
| `length` | 1 to 366 | `1` | days or weeks of a shift |
| `shift` | duration | required by `custom` | length of a shift |
| `start` | local time | required | when the first shift begins: `2026-01-05T09:00:00`. Nobody is on call before |
| `receivers` | list | required | they take turns |
| `calendar` | name | none | on call only while it is open |
| `outside_calendar` | name | none | on call only while it is closed |

### `schedules[].overrides[]`
| `from`, `until` | time | required | local, or with a zone |
| `receivers` | list | required | empty: nobody |

### `response_targets`
| `P0` | duration, `next_business_day`, `none` | `15m` | |
| `P1` | the same | `1h` | |
| `P2` | the same | `4h` | |
| `P3` | the same | `next_business_day` | until the end of work on that day |
| `calendar` | name | Monday to Friday, UTC | of business days |

### `storm`
| `incidents` | 2 to 100000 | required | more new incidents than this |
| `within` | duration | `5m` | in this time are a storm |
| `quiet` | duration | `10m` | without a new one it is over. At least `within`, or it begins anew with the next one |
| `by` | list of labels | none: one for all | a storm of its own for each value |
| `severity` | severity | `P1` | of the alert `AlertStorm` that stands for all |

### `rate_limits[]`
| `receiver` | name | required | of a receiver; of a schedule name the receivers that are on call in it |
| `count` | 1 to 10000 | required | so many messages |
| `per` | duration | required | in this time. What is more waits, and is told in one message per group; nothing is lost. P0 passes |

### `recurring_silences[]`
| `name` | text | required, unique | |
| `matchers` | matchers | required | at least one must not match the empty string |
| `time_intervals` | list of names | required | holds during any of them |
| `comment` | text | none | |

### `history`
| `retention` | duration | `400d` | resolved incidents older than this are deleted, in whole weeks; the weekly figures stay for ever. Needs a restart |

### `review`
| `receivers` | list of names | none | receivers that get the review of everything |
| `time_zone` | time zone | `UTC` | of weeks and of business, off and sleep hours |
| `deliver_after` | duration | `9h` | after the end of the week: Monday, 09:00 |
| `week_starts` | `monday` | `monday` | weeks are those of ISO 8601 |
| `teams` | list | none | [a review of each team](#reviewteams) |

### `review.teams[]`
| `name` | text | required, unique | value of the label `team` |
| `receivers` | list of names | none | receivers that get the review of this team |
| `time_zone` | time zone | that of `review` | |

### `models[]`
| `name` | text | required, unique | |
| `team` | text | empty | |
| `dashboard_url`, `runbook_url` | URL | empty | |
| `contacts` | map | none | `l1`, `l2`, `l3` |

### `http_config`
| `basic_auth` | map | | at most one way to authenticate |
| `authorization` | map | | |
| `bearer_token`, `bearer_token_file` | secret, path | | deprecated form of `authorization` |
| `oauth2` | map | | |
| `tls_config` | map | | |
| `follow_redirects` | bool | `true` | |
| `enable_http2` | bool | `true` | only over TLS |
| `http_headers` | map | none | further headers, by name |
| `proxy_url` | URL | none | `http`, `https`, `socks5` or `socks5h` |
| `no_proxy` | text | empty | hosts, domains, CIDRs, comma separated; needs `proxy_url` |
| `proxy_from_environment` | bool | `false` | `HTTPS_PROXY`, `NO_PROXY`, ...; without `proxy_url` |
| `proxy_connect_header` | map of lists | none | headers of the CONNECT request |

### `http_config.basic_auth`
| `username`, `username_file` | text, path | | |
| `password`, `password_file` | secret, path | | |
| `username_ref`, `password_ref` | text | | of a secret manager, and there is none: a warning, and `serve` refuses the file where the receiver is used, as Alertmanager does |

### `http_config.authorization`
| `type` | text | `Bearer` | not `basic` |
| `credentials`, `credentials_file` | secret, path | | |
| `credentials_ref` | text | | as above |

### `http_config.oauth2`
| `client_id` | text | required | |
| `client_secret`, `client_secret_file` | secret, path | | |
| `token_url` | URL | required | |
| `scopes` | list | none | |
| `endpoint_params` | map | none | further form fields |
| `grant_type` | text | `client_credentials` | or `urn:ietf:params:oauth:grant-type:jwt-bearer`; others load with a warning and mean the first |
| `client_certificate_key`, `client_certificate_key_file` | secret PEM, path | none | jwt-bearer: the RSA key that signs the assertion |
| `client_certificate_key_id` | text | none | jwt-bearer: `kid` of the assertion |
| `signature_algorithm` | text | `RS256` | jwt-bearer: or `RS384`, `RS512` |
| `iss`, `audience` | text | `client_id`, `token_url` | jwt-bearer: the assertion's `iss` and `aud` |
| `claims` | map | none | jwt-bearer: further claims of the assertion; they win over its own |
| `tls_config` | map | | as below, for the token request |
| `proxy_url`, `no_proxy`, `proxy_from_environment`, `proxy_connect_header` | | | as above, for the token request |
| `client_secret_ref`, `client_certificate_key_ref` | text | | of a secret manager, as above |

### `http_config.tls_config`
| `ca`, `ca_file` | PEM, path | the system's | whom to trust |
| `cert`, `cert_file` | PEM, path | none | client certificate; needs a key |
| `key`, `key_file` | secret PEM, path | none | |
| `server_name` | text | host of the URL | name expected in the certificate |
| `insecure_skip_verify` | bool | `false` | accept any certificate |
| `min_version`, `max_version` | `TLS10` to `TLS13` | TLS 1.2, newest | |
| `ca_ref`, `cert_ref`, `key_ref` | text | | of a secret manager, as above |

### `http_config.http_headers.<name>`
| `values` | list | none | each is a header line of its own |
| `secrets` | list of secrets | none | the same, masked in the API |
| `files` | list of paths | none | the same, from files |
)table";

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

// Between bars; "\|" is no bar.
std::vector<std::string> Cells(std::string_view line) {
  std::vector<std::string> out;
  std::string cell;
  for (size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '|' && line[i - 1] != '\\') {
      out.emplace_back(Trim(cell));
      cell.clear();
    } else {
      cell += line[i];
    }
  }
  return out;
}

// What stands in backquotes.
std::vector<std::string> Quoted(std::string_view text) {
  std::vector<std::string> out;
  for (size_t from = text.find('`'); from != std::string_view::npos; from = text.find('`', from)) {
    const size_t to = text.find('`', from + 1);
    if (to == std::string_view::npos) {
      break;
    }
    out.emplace_back(text.substr(from + 1, to - from - 1));
    from = to + 1;
  }
  return out;
}

// False when the line is no heading of a section.
bool ReadHeading(std::string_view line, std::string& path) {
  if (line == "## Top level") {
    path.clear();
    return true;
  }
  if (!line.starts_with("### `") || !line.ends_with("`")) {
    return false;
  }
  path = line.substr(5, line.size() - 6);
  return true;
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::vector<KeySection> ReadTable() {
  std::vector<KeySection> out;
  for (std::string_view line : Lines(kTable)) {
    std::string path;
    if (ReadHeading(line, path)) {
      out.push_back({std::move(path), {}});
    } else if (line.starts_with("| `") && !out.empty()) {
      std::vector<std::string> cells = Cells(line);
      cells.resize(4);
      out.back().rows.push_back({Quoted(cells[0]), std::move(cells[1]), std::move(cells[2]),
                                 std::move(cells[3]), std::string(line)});
    }
  }
  return out;
}

}  // namespace

const std::vector<KeySection>& KeyTable() {
  static const std::vector<KeySection> table = ReadTable();
  return table;
}

const KeySection* FindKeySection(std::string_view path) {
  for (const KeySection& section : KeyTable()) {
    if (section.path == path) {
      return &section;
    }
  }
  return nullptr;
}

std::string ReplaceKeyTables(std::string_view page) {
  std::string out;
  const KeySection* section = nullptr;
  for (std::string_view line : Lines(page)) {
    std::string path;
    if (line.starts_with("#")) {
      section = ReadHeading(line, path) ? FindKeySection(path) : nullptr;
    }
    if (section != nullptr && line.starts_with("| `")) {
      continue;
    }
    out += line;
    out += '\n';
    if (section != nullptr && line.starts_with("|---")) {
      for (const KeyRow& row : section->rows) {
        out += row.line + '\n';
      }
    }
  }
  return out;
}

std::string DefaultOf(const KeyRow& row, size_t n) {
  std::string_view text = row.fallback;
  for (size_t i = 0; i < n && row.keys.size() > 1; ++i) {
    const size_t comma = text.find(", ");
    if (comma == std::string_view::npos) {
      break;  // one for all of them
    }
    text.remove_prefix(comma + 2);
  }
  text = text.substr(0, text.find(", "));
  while (text.starts_with("*") && text.ends_with("*") && text.size() > 1) {
    text = text.substr(1, text.size() - 2);
  }
  if (text.size() < 3 || !text.starts_with("`") || text.find('`', 1) != text.size() - 1) {
    return "";
  }
  std::string value(text.substr(1, text.size() - 2));
  const bool is_key = std::any_of(KeyTable().begin(), KeyTable().end(), [&](const KeySection& section) {
    return std::any_of(section.rows.begin(), section.rows.end(), [&](const KeyRow& other) {
      return std::any_of(other.keys.begin(), other.keys.end(), [&](const std::string& key) {
        return (key == value && value.find('_') != std::string::npos) || value == section.path + "." + key;
      });
    });
  });
  // "the value of another key", "a template that ships", a family of them
  return is_key || value.find(".default.") != std::string::npos ||
                 value.find_first_of("*<{") != std::string::npos
             ? ""
             : value;
}

std::string PlainMeaning(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t close = text[i] == '[' ? text.find("](", i) : std::string_view::npos;
    const size_t end = close == std::string_view::npos ? close : text.find(')', close);
    if (end == std::string_view::npos) {
      out += text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '|' ? "" : std::string(1, text[i]);
    } else {
      out += text.substr(i + 1, close - i - 1);
      i = end;
    }
  }
  return out;
}

}  // namespace mlalert
