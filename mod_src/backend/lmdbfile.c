/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The store does not wait for the disk (see lmdbenv.c), so after a power failure the file may hold pages of
 * different ages, and LMDB, which maps it, could crash every child at every start. Whoever wrote before the
 * host's last start is therefore not believed: PATH-boot holds the kernel's boot id of the writers, and
 * another one means a new file. It is a file of its own because nothing inside of a torn file can be trusted
 * to say so.
 *
 * This may run as root in a directory that others can write, hence no following of links and no chown of what
 * has other names. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "backend/lmdbfile.h"

#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ROOM 64

static const char *trouble(apr_pool_t *pool, const char *doing, const char *path)
{
    return apr_psprintf(pool, "cannot %s '%s': %s", doing, path, strerror(errno));
}

static ssize_t read_start(int file, char room[BOOT_ROOM])
{
    ssize_t len;
    do
        len = pread(file, room, BOOT_ROOM - 1, 0);
    while (len < 0 && errno == EINTR);
    room[len < 0 ? 0 : len] = '\0';
    return len;
}

/* The name of the host's current start; false where there is none, and `room` is then a name that stays the
 * same for ever. */
static bool boot_read(char room[BOOT_ROOM])
{
    int file = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
    ssize_t len = -1;
    if (file >= 0) {
        len = read_start(file, room);
        close(file);
    }
    if (len < 16) {
        apr_cpystrn(room, "unknown\n", BOOT_ROOM);
        return false;
    }
    return true;
}

/* Opens a plain file that is ours to give away, or creates it. -1 and *problem otherwise. */
static int file_open(apr_pool_t *pool, const char *path, lmdbfile_owner owner, const char **problem)
{
    struct stat facts;
    int file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (file < 0) {
        *problem = trouble(pool, "open", path);
        return -1;
    }
    if (fstat(file, &facts) != 0)
        *problem = trouble(pool, "look at", path);
    else if (!S_ISREG(facts.st_mode) || facts.st_nlink > 1)
        *problem = apr_psprintf(pool, "'%s' is not a plain file with one name; name another one", path);
    else if (facts.st_uid != geteuid() && facts.st_uid != owner.uid)
        *problem =
            apr_psprintf(pool,
                         "'%s' belongs to user %lu, who is not the one that httpd runs as; remove it or "
                         "change its owner",
                         path, (unsigned long)facts.st_uid);
    if (*problem == NULL)
        return file;
    close(file);
    return -1;
}

static const char *file_give(apr_pool_t *pool, int file, const char *path, lmdbfile_owner owner)
{
    struct stat facts;
    if (fstat(file, &facts) != 0)
        return trouble(pool, "look at", path);
    if ((facts.st_mode & 07777) != 0600 && fchmod(file, 0600) != 0)
        return trouble(pool, "set the mode of", path);
    if ((owner.uid != (uid_t)-1 && owner.uid != facts.st_uid) ||
        (owner.gid != (gid_t)-1 && owner.gid != facts.st_gid)) {
        if (fchown(file, owner.uid, owner.gid) != 0)
            return trouble(pool, "give the right owner to", path);
    }
    return NULL;
}

static const char *file_ready(apr_pool_t *pool, const char *path, lmdbfile_owner owner)
{
    const char *problem = NULL;
    int file = file_open(pool, path, owner, &problem);
    if (file < 0)
        return problem;
    problem = file_give(pool, file, path, owner);
    close(file);
    return problem;
}

static const char *file_remove(apr_pool_t *pool, const char *path)
{
    return unlink(path) != 0 && errno != ENOENT ? trouble(pool, "remove the outdated", path) : NULL;
}

static const char *files_remove(apr_pool_t *pool, const char *path)
{
    const char *problem = file_remove(pool, path);
    return problem ? problem : file_remove(pool, apr_pstrcat(pool, path, "-lock", NULL));
}

static const char *boot_write(apr_pool_t *pool, int file, const char *path, const char *boot)
{
    size_t len = strlen(boot);
    if (ftruncate(file, 0) != 0 || pwrite(file, boot, len, 0) != (ssize_t)len)
        return trouble(pool, "write", path);
    return NULL;
}

/* Under the lock of PATH-boot: starts anew what an earlier start of the host has left. Where PATH-boot was
 * missing, an existing file is somebody else's, perhaps another program's, and stays as it is. */
static const char *renew(apr_pool_t *pool, int boot_file, const char *path, const char *boot)
{
    char written[BOOT_ROOM];
    struct stat facts;
    const char *problem = NULL;
    const char *boot_path = apr_pstrcat(pool, path, "-boot", NULL);
    ssize_t len = read_start(boot_file, written);
    if (len < 0)
        return trouble(pool, "read", boot_path);
    if (strcmp(written, boot) == 0)
        return NULL;
    if (len > 0)
        problem = files_remove(pool, path);
    else if (lstat(path, &facts) == 0 && (!S_ISREG(facts.st_mode) || facts.st_size > 0))
        problem = apr_psprintf(
            pool, "'%s' exists and is not a session store of this host; remove it or name another file",
            path);
    return problem ? problem : boot_write(pool, boot_file, boot_path, boot);
}

static const char *prepare_locked(apr_pool_t *pool, int boot_file, const char *path, lmdbfile_owner owner)
{
    char boot[BOOT_ROOM];
    const char *boot_path = apr_pstrcat(pool, path, "-boot", NULL);
    const char *problem;
    boot_read(boot);
    problem = renew(pool, boot_file, path, boot);
    if (problem == NULL)
        problem = file_ready(pool, path, owner);
    if (problem == NULL)
        problem = file_ready(pool, apr_pstrcat(pool, path, "-lock", NULL), owner);
    return problem ? problem : file_give(pool, boot_file, boot_path, owner);
}

const char *lmdbfile_prepare(apr_pool_t *pool, const char *path, lmdbfile_owner owner, bool *remembered)
{
    char boot[BOOT_ROOM];
    struct stat facts;
    const char *problem = NULL;
    int boot_file;
    int locked;
    *remembered = boot_read(boot);
    if (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode))
        return apr_psprintf(pool, "'%s' is a directory; write the name of a file in it", path);
    boot_file = file_open(pool, apr_pstrcat(pool, path, "-boot", NULL), owner, &problem);
    if (boot_file < 0)
        return problem;
    do
        locked = flock(boot_file, LOCK_EX);
    while (locked != 0 && errno == EINTR);
    problem = locked == 0 ? prepare_locked(pool, boot_file, path, owner) : trouble(pool, "lock", path);
    close(boot_file);
    return problem;
}
