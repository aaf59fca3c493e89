/* A wall clock that is off by as many seconds as the file CLOCK_OFFSET says, from one call to the next. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    static int file = -2;
    char text[32] = {0};
    if (file == -2) {
        const char *path = getenv("CLOCK_OFFSET");
        file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    }
    return file < 0 || pread(file, text, sizeof text - 1, 0) <= 0 ? 0 : atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) real = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, now);
    if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
    return done;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *also) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (also != NULL) *also = now.tv_sec;
    return now.tv_sec;
}
