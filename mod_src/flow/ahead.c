/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The task that goes behind the response carries nothing of the request but the cookie, which is wiped when
 * the work is done; everything else is read anew, since minutes may lie between. */

#include "flow/ahead.h"

#include <string.h>

#include <apr_strings.h>

#include "base/secret.h"
#include "flow/refresh.h"

#define AGAIN_MS 1000 /* between tasks for one session from one process */

typedef struct task {
    const rp_t *rp;
    const env_t *env;
    char cookie[VAULT_COOKIE_LEN];
} task_t;

static void tell(const env_t *env, const verdict_t *verdict)
{
    for (int i = 0; env->journal != NULL && verdict->notes != NULL && i < verdict->notes->nelts; i++)
        env->journal(env->journal_place, &((const note_t *)verdict->notes->elts)[i]);
}

static void refresh(walk_t *walk, text_t cookie)
{
    vault_record record;
    const fault_t *fault = NULL;
    if (vault_load(&walk->vault, walk->pool, cookie, &record) != VAULT_OK ||
        session_life_at(&record.session, walk->now, walk->rp->settings->session_idle) != SESSION_LIVE)
        return;
    /* also a token that ran out meanwhile is renewed without waiting for others: nobody waits for this thread
     */
    switch (refresh_due(walk, &record.session)) {
    case REFRESH_DUE:
    case REFRESH_OVERDUE:
        (void)refresh_run(walk, REFRESH_DUE, &record, &fault);
        break;
    case REFRESH_NONE:
    case REFRESH_RESTING:
    case REFRESH_BLOCKED:
        break;
    }
}

static void work(void *given, apr_pool_t *pool)
{
    task_t *task = given;
    const visit_t visit = {.pool = pool};
    walk_t walk = walk_begin(task->rp, task->env, &visit);
    refresh(&walk, (text_t){task->cookie, VAULT_COOKIE_LEN});
    tell(task->env, walk.verdict);
}

bool ahead_submit(walk_t *walk, const vault_record *record)
{
    const env_t *env = walk->env;
    task_t task = {.rp = walk->rp, .env = env};
    if (env->later == NULL)
        return false;
    const char *name = apr_pstrcat(walk->pool, "ahead ", record->key, NULL);
    if (session_is_leased(&record->session) ||
        !env->shared->allow(env->shared, name, env->clock->steady(env->clock), AGAIN_MS))
        return true;
    memcpy(task.cookie, record->cookie.at, sizeof task.cookie);
    bool taken = env->later->submit(env->later, work, &task, sizeof task);
    secret_wipe(&task, sizeof task);
    return taken;
}
