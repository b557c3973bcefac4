/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef UNIT_H
#define UNIT_H

/* What every unit test shares: a pool per test, comparisons that print both sides, and hostile memory.
 * Include it first; it brings cmocka. Everything is static inline, so that a test is one file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_pools.h>

#include "base/fault.h"
#include "base/text.h"

/* A test with a pool of its own that is destroyed afterwards: `UNIT_TEST(name)` in the list of main(). */
#define UNIT_TEST(function) cmocka_unit_test_setup_teardown(function, unit_setup, unit_teardown)

/* main() over an array of UNIT_TESTs. */
#define UNIT_MAIN(tests) cmocka_run_group_tests(tests, NULL, NULL)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline int unit_setup(void **state)
{
    apr_pool_t *pool = NULL;
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return -1;
    *state = pool;
    return 0;
}

static inline int unit_teardown(void **state)
{
    apr_pool_destroy(*state);
    apr_terminate();
    return 0;
}

/* The pool of the running test. */
static inline apr_pool_t *unit_pool(void **state)
{
    return *state;
}

/* The bytes in a fresh mapping whose last byte stands right before an unreadable page: one byte read too far
 * is a SIGSEGV, also without a sanitizer. Unmapped with the pool. Empty input gives a slice whose `at` must
 * not be read at all. */
typedef struct unit_mapping {
    void *at;
    size_t len;
} unit_mapping;

static inline apr_status_t unit_unmap(void *data)
{
    const unit_mapping *mapping = data;
    return munmap(mapping->at, mapping->len) == 0 ? APR_SUCCESS : APR_EGENERAL;
}

static inline text_t unit_flush(apr_pool_t *pool, text_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (bytes.len + page - 1) / page * page;
    unit_mapping *mapping = apr_palloc(pool, sizeof(*mapping));
    mapping->len = room + page;
    mapping->at = mmap(NULL, mapping->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(mapping->at != MAP_FAILED);
    apr_pool_cleanup_register(pool, mapping, unit_unmap, apr_pool_cleanup_null);
    char *wall = (char *)mapping->at + room;
    if (bytes.len > 0)
        memcpy(wall - bytes.len, bytes.at, bytes.len);
    assert_int_equal(mprotect(wall, page, PROT_NONE), 0);
    return (text_t){wall - bytes.len, bytes.len};
}

static inline void unit_show(const char *label, text_t text)
{
    apr_pool_t *pool = NULL;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return;
    print_error("%s (%zu bytes): %s\n", label, text.len, text_loggable(pool, text, 2000));
    apr_pool_destroy(pool);
}

static inline void unit_compare(text_t got, text_t wanted, const char *why, const char *file, int line)
{
    if (text_equal(got, wanted))
        return;
    print_error("%s\n", why);
    unit_show("     got", got);
    unit_show("expected", wanted);
    _fail(file, line);
}

/* The slice holds exactly these bytes of a string literal. */
#define assert_text(got, literal) unit_compare((got), TEXT(literal), #got, __FILE__, __LINE__)

/* Two slices hold the same bytes; `why` is the reason of the case, printed when they do not. */
#define assert_texts(got, wanted, why) unit_compare((got), (wanted), (why), __FILE__, __LINE__)

/* A condition within a table of cases; `why` is the reason of the case, printed when it does not hold. */
#define assert_case(condition, why)                                                                          \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            print_error("%s: %s\n", (why), #condition);                                                      \
            _fail(__FILE__, __LINE__);                                                                       \
        }                                                                                                    \
    } while (0)

static inline void unit_faulted(const fault_t *fault, fault_code code, const char *file, int line)
{
    if (code == FAULT_NONE ? fault == NULL : fault != NULL && fault->code == code)
        return;
    print_error("got %s (%s), expected %s\n", fault == NULL ? "no fault" : fault_word(fault->code),
                fault == NULL || fault->detail == NULL ? "-" : fault->detail,
                code == FAULT_NONE ? "no fault" : fault_word(code));
    _fail(file, line);
}

/* The result of a pure function: success, or a fault with this code. */
#define assert_no_fault(fault)    unit_faulted((fault), FAULT_NONE, __FILE__, __LINE__)
#define assert_fault(fault, code) unit_faulted((fault), (code), __FILE__, __LINE__)

#endif
