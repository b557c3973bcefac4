/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Claims: a JSON object is flattened, and every top level member is printed again. The list is sorted, each
 * entry is found under its own path, what is printed is JSON, and an object that was flattened once more from
 * its print gives the same print. */

#include "fuzz.h"

#include "oidc/claims.h"

static void check_list(text_t list)
{
    claim_type type;
    text_t item;
    while (claim_next_item(&list, &type, &item))
        FUZZ_HOLDS(type != CLAIM_LIST);
    FUZZ_HOLDS(list.len == 0);
}

static void check_entries(apr_pool_t *pool, const claim_list *claims)
{
    for (size_t i = 0; i < claims->count; i++) {
        const claim_t *claim = &claims->at[i];
        FUZZ_HOLDS(i == 0 || claim_order(&claims->at[i - 1], claim) < 0);
        const claim_t *found = claim_find(claims, claim->path);
        FUZZ_HOLDS(found != NULL && claim_order(found, claim) <= 0 && found->path.len == claim->path.len);
        if (claim->type == CLAIM_LIST)
            check_list(claim->text);
        else
            FUZZ_HOLDS(claim->type == CLAIM_JSON || claim_has(claim, claim->text));
        FUZZ_HOLDS(claim_as_text(pool, claim, ',').len >= (claim->type == CLAIM_LIST ? 0 : claim->text.len));
    }
}

static text_t wrapped(apr_pool_t *pool, text_t json)
{
    return text_join(pool, (const text_t[]){TEXT("{\"x\":"), json, TEXT("}"), {NULL, 0}});
}

/* Is it an object that has a member of its own, so that the name may be printed from members? */
static void check_print(apr_pool_t *pool, const claim_list *claims, text_t name)
{
    const jval_t *object = NULL;
    claim_list again;
    text_t json = claim_as_json(pool, claims, name);
    if (json.at == NULL)
        return;
    FUZZ_HOLDS(jval_read(pool, wrapped(pool, json), SIZE_MAX, FAULT_INTERNAL, &object) == NULL);
    claims_source source = {CLAIMS_FROM_USERINFO, object};
    FUZZ_HOLDS(claims_collect(pool, &source, 1, &again) == NULL);
    FUZZ_HOLDS(text_equal(claim_as_json(pool, &again, TEXT("x")), json));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const jval_t *object = NULL;
    claim_list claims;
    if (jval_read(pool, fuzz_input(pool, data, size), 65536, FAULT_INTERNAL, &object) != NULL)
        return fuzz_done(pool);
    const claims_source sources[] = {{CLAIMS_FROM_USERINFO, object}, {CLAIMS_FROM_IDTOKEN, object}};
    const fault_t *fault = claims_collect(pool, sources, 2, &claims);
    FUZZ_HOLDS(fault == NULL || text_is_printable(text_of(fault->detail)));
    if (fault == NULL) {
        check_entries(pool, &claims);
        jval_cursor cursor = {.position = NULL};
        while (jval_next(object, &cursor)) {
            check_print(pool, &claims, cursor.name);
            (void)claims_points_elsewhere(object, cursor.name);
        }
    }
    return fuzz_done(pool);
}
