/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Random bytes straight from the kernel, getrandom(2). OpenSSL's generator was not taken: it has state of its
 * own that a fork, a provider or another module's configuration can disturb, and this port is asked for a few
 * dozen bytes a login only. It fails closed: what was filled before a failure is overwritten, so that nobody
 * can use half of it. */

#include "backend/hostrandom.h"

#include <errno.h>
#include <sys/random.h>

#include "base/secret.h"

static bool fill(const random_port *random, void *room, size_t len)
{
    unsigned char *at = room;
    size_t done = 0;
    (void)random;
    while (done < len) {
        ssize_t got = getrandom(at + done, len - done, 0);
        if (got > 0) {
            done += (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            secret_wipe(room, len);
            return false;
        }
    }
    return true;
}

static const random_port host = {fill};

const random_port *hostrandom_port(void)
{
    return &host;
}
