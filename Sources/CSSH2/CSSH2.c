#include "CSSH2.h"

#include <stdlib.h>
#include <string.h>

/* libssh2 gives the callback no argument of ours but the session's one pointer. */
static void answer(const char *name, int name_length, const char *instruction,
                   int instruction_length, int prompts,
                   const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompt,
                   LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract) {
    (void)name, (void)name_length, (void)instruction, (void)instruction_length, (void)prompt;
    const char *password = *abstract;
    for (int i = 0; i < prompts; i++) {
        /* libssh2 frees the text. */
        responses[i].text = strdup(password);
        responses[i].length = responses[i].text ? (unsigned int)strlen(password) : 0;
    }
}

int sync2nas_ssh2_login_interactively(LIBSSH2_SESSION *session, const char *user,
                                      const char *password) {
    void **abstract = libssh2_session_abstract(session);
    *abstract = (void *)password;
    int result = libssh2_userauth_keyboard_interactive(session, user, answer);
    *abstract = NULL;
    return result;
}
