/* A filesystem without locks or without Unix sockets: flock fails with the number in FAULTS_FLOCK, and bind on a Unix
   socket with the one in FAULTS_BIND. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>

static int refused(const char *name) {
    const char *number = getenv(name);
    if (number == NULL)
        return 0;
    errno = atoi(number);
    return 1;
}

int flock(int descriptor, int operation) {
    if (refused("FAULTS_FLOCK"))
        return -1;
    int (*real)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    return real(descriptor, operation);
}

int bind(int descriptor, const struct sockaddr *address, socklen_t size) {
    if (address->sa_family == AF_UNIX && refused("FAULTS_BIND"))
        return -1;
    int (*real)(int, const struct sockaddr *, socklen_t) =
        (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");
    return real(descriptor, address, size);
}
