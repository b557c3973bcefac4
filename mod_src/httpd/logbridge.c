/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Verdicts as lines of the error log. One file, so that one look shows what can be logged at all, and at
 * which level: strangers are everyday life, a callback that was refused deserves a look, a store or provider
 * that is away wants somebody to act. Lines come as stable words with everything from outside already
 * escaped; nothing here formats what a client sent. */

#include "httpd/logbridge.h"

#include <http_config.h>
#include <http_log.h>

#include "httpd/conf.h"

APLOG_USE_MODULE(sso);

static int level_of_note(note_level level)
{
    switch (level) {
    case NOTE_ERROR:
        return APLOG_ERR;
    case NOTE_WARNING:
        return APLOG_WARNING;
    case NOTE_NOTICE:
        return APLOG_NOTICE;
    case NOTE_INFO:
        break;
    }
    return APLOG_INFO;
}

/* What everybody causes who merely opens an address, or whose session ended. */
static bool is_everyday(fault_code code)
{
    static const fault_code everyday[] = {FAULT_LOGIN_REQUIRED, FAULT_SESSION_ENDED,    FAULT_SESSION_REVOKED,
                                          FAULT_FORBIDDEN,      FAULT_ENDPOINT_UNKNOWN, FAULT_METHOD_REFUSED,
                                          FAULT_STATE_USED,     FAULT_STATE_MISSING,    FAULT_TARGET_REFUSED};
    for (size_t i = 0; i < sizeof(everyday) / sizeof(everyday[0]); i++)
        if (code == everyday[i])
            return true;
    return false;
}

static int level_of_fault(fault_code code)
{
    if (is_everyday(code))
        return APLOG_INFO;
    return fault_status(code) >= 500 ? APLOG_ERR : APLOG_WARNING;
}

void logbridge_notes(request_rec *r, const verdict_t *verdict)
{
    for (int i = 0; verdict->notes != NULL && i < verdict->notes->nelts; i++) {
        const note_t *note = &APR_ARRAY_IDX(verdict->notes, i, note_t);
        ap_log_rerror(APLOG_MARK, level_of_note(note->level), 0, r, "%s", note->line);
    }
}

void logbridge_journal(const void *place, const note_t *note)
{
    ap_log_error(APLOG_MARK, level_of_note(note->level), 0, (const server_rec *)place, "%s", note->line);
}

void logbridge_refusal(request_rec *r, const verdict_t *verdict)
{
    const fault_t *fault = verdict->fault;
    if (fault == NULL)
        return;
    bool more = fault->detail != NULL && fault->detail[0] != '\0';
    ap_log_rerror(APLOG_MARK, level_of_fault(fault->code), 0, r, "reason=%s incident=%s%s%s",
                  fault_word(fault->code), verdict->incident == NULL ? "-" : verdict->incident,
                  more ? ": " : "", more ? fault->detail : "");
}

void logbridge_config(const server_rec *server, const char *line)
{
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server, "%s", line);
}

void logbridge_trouble(const server_rec *server, const char *line)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, server, "%s", line);
}

void logbridge_unready(request_rec *r, const char *line)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s", line);
}
