#include "CSSH2.h"

#include <stdlib.h>
#include <string.h>

/* In C because libssh2 frees each answer with its own allocator, which is malloc's here. */
static void answer(const char *name, int name_len, const char *instruction, int instruction_len,
                   int num_prompts, const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts,
                   LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract) {
    (void)name, (void)name_len, (void)instruction, (void)instruction_len;
    const char *password = abstract ? *abstract : NULL;
    for (int i = 0; i < num_prompts; i++) {
        /* A prompt that echoes asks for something that is not secret: never send it there. */
        const char *text = (password && !prompts[i].echo) ? password : "";
        responses[i].text = strdup(text);
        responses[i].length = responses[i].text ? (unsigned)strlen(text) : 0;
    }
}

int cssh2_login_keyboard_interactive(LIBSSH2_SESSION *session, const char *user, unsigned length) {
    return libssh2_userauth_keyboard_interactive_ex(session, user, length, answer);
}
