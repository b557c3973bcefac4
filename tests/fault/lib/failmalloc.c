/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* An allocator that fails once, for row F-38: preloaded into httpd, it counts down a number that the test
 * writes into a shared file and answers NULL to the allocation that reaches zero. A number in the environment
 * was rejected: httpd would have to be started anew for each allocation. Only processes with threads count,
 * so that httpd's parent is spared. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic int *control; /* [0] allocations until the failure, 0: none; [1] whether it happened */
static pid_t parent;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

__attribute__((constructor)) static void open_control(void)
{
    const char *name = getenv("FAILMALLOC");
    int file = name != NULL ? open(name, O_RDWR | O_CLOEXEC) : -1;
    void *place = file < 0 ? MAP_FAILED : mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0)
        close(file);
    parent = getpid();
    control = place == MAP_FAILED ? NULL : place;
}

static int fails(void)
{
    if (control == NULL || control[0] <= 0 || getpid() == parent)
        return 0;
    if (--control[0] != 0)
        return 0;
    control[1] = 1;
    errno = ENOMEM;
    return 1;
}

/* The libc's own three, with a failure before them. */
void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}
