/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "backend/hostrandom.h"

/* What getrandom(2) does in a test; this one stands in front of the C library's. */
typedef enum { KERNEL, IN_PIECES, INTERRUPTED, FAILS_HALF_WAY, EMPTY } behaviour;

static behaviour kernel;
static int calls;

__attribute__((visibility("default"))) ssize_t getrandom(void *room, size_t len, unsigned flags)
{
    calls++;
    if (kernel == INTERRUPTED && calls % 2 == 1) {
        errno = EINTR;
        return -1;
    }
    if (kernel == FAILS_HALF_WAY && calls > 1) {
        errno = ENOSYS;
        return -1;
    }
    if (kernel == EMPTY) {
        return 0;
    }
    if (kernel != KERNEL && len > 7) {
        len = 7;
    }
    return syscall(SYS_getrandom, room, len, flags);
}

static bool all_bytes(const unsigned char *at, size_t len, unsigned char byte)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] != byte) {
            return false;
        }
    }
    return true;
}

static void fills_or_fails_closed(void **state)
{
    static const struct {
        behaviour kernel;
        size_t len;
        bool filled;
        const char *why;
    } cases[] = {
        {KERNEL, 0, true, "nothing asked for is nothing missing"},
        {KERNEL, 64, true, "the ordinary case"},
        {KERNEL, 4096, true, "more than the kernel gives without interruption"},
        {IN_PIECES, 64, true, "short answers are continued"},
        {INTERRUPTED, 64, true, "a signal is no failure"},
        {FAILS_HALF_WAY, 64, false, "half an answer is none"},
        {EMPTY, 64, false, "an answer without bytes must not loop for ever"},
    };
    const random_port *random = hostrandom_port();
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned char room[4096 + 1];
        memset(room, 0, sizeof(room));
        room[cases[i].len] = 0x5a;
        kernel = cases[i].kernel;
        calls = 0;
        bool filled = random->fill(random, room, cases[i].len);
        assert_case(filled == cases[i].filled, cases[i].why);
        assert_case(room[cases[i].len] == 0x5a, "not a byte too many");
        if (!filled) {
            assert_case(all_bytes(room, cases[i].len, 0), "nothing of a failed fill stays");
        } else if (cases[i].len > 0) {
            assert_case(!all_bytes(room + cases[i].len - 16, 16, 0), "filled to the end");
        }
    }
    kernel = KERNEL;
}

static void never_twice_the_same(void **state)
{
    const random_port *random = hostrandom_port();
    unsigned char seen[256][16];
    (void)state;
    for (size_t i = 0; i < COUNT(seen); i++) {
        assert_true(random->fill(random, seen[i], sizeof(seen[i])));
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(seen[i], seen[j], sizeof(seen[i]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(fills_or_fails_closed),
        UNIT_TEST(never_twice_the_same),
    };
    return UNIT_MAIN(tests);
}
