#include "client/completion_script.h"

#include "client/commands.h"
#include "client/options.h"
#include "shared/text.h"

#include <string.h>

/* Behind the functions that tell the words: how they are used. */
static const char body[] =
    "\n"
    "_stockbus()\n"
    "{\n"
    "    local program=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local command='' value='' i\n"
    "    COMPREPLY=()\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        if [[ -n $value ]]; then\n"
    "            value=''\n"
    "        elif [[ ${COMP_WORDS[i]} == = ]]; then\n"
    "            value=''\n"
    "            ((i++))\n"
    "        elif [[ ${COMP_WORDS[i]} == --* ]]; then\n"
    "            value=$(_stockbus_value \"${COMP_WORDS[i]}\")\n"
    "        else\n"
    "            command=${COMP_WORDS[i]}\n"
    "            break\n"
    "        fi\n"
    "    done\n"
    "    [[ $before == = && COMP_CWORD -gt 2 ]] && before=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    case $(_stockbus_value \"$before\") in\n"
    "    FILE) mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n"
    "    DIR) mapfile -t COMPREPLY < <(compgen -d -- \"$word\"); return ;;\n"
    "    WHEN) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- \"$word\"); return ;;\n"
    "    ?*) return ;;\n"
    "    esac\n"
    "    if [[ -z $command ]]; then\n"
    "        local words\n"
    "        words=$(_stockbus_options \"${program##*/}\")\n"
    "        [[ ${program##*/} == stockctl ]] && words=\"$words $(_stockbus_commands)\"\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
    "    elif [[ $command == help ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$(_stockbus_commands)\" -- \"$word\")\n"
    "    elif [[ $command == run && $word != -* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
    "    else\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$(_stockbus_arguments \"$command\")\" -- "
    "\"$word\")\n"
    "    fi\n"
    "}\n"
    "\n"
    "complete -o filenames -F _stockbus stock stockctl\n";

/* Writes the options that stand in a line of usage. */
static void
write_usage_options(FILE *out, const char *usage)
{
    const char *separator = "";
    for (const char *at = strstr(usage, "--"); at != NULL; at = strstr(at + 2, "--")) {
        size_t size = strcspn(at, " ]|");
        fprintf(out, "%s%.*s", separator, (int)size, at);
        separator = " ";
    }
}

static void
write_commands(FILE *out)
{
    size_t count;
    const struct command *table = commands_table(&count);
    fputs("_stockbus_commands()\n{\n    echo", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, " %s", table[i].name);
    }
    fputs("\n}\n\n_stockbus_arguments()\n{\n    case $1 in\n", out);
    for (size_t i = 0; i < count; i++) {
        if (strstr(table[i].arguments, "--") != NULL) {
            fprintf(out, "    %s) echo ", table[i].name);
            write_usage_options(out, table[i].arguments);
            fputs(" ;;\n", out);
        }
    }
    fputs("    esac\n}\n\n", out);
}

static void
write_options(FILE *out)
{
    size_t count;
    const struct option_entry *table = options_table(&count);
    fputs("_stockbus_options()\n{\n    echo", out);
    for (size_t i = 0; i < count; i++) {
        if (table[i].help != NULL && !table[i].is_scripted) {
            fprintf(out, " --%s", table[i].name);
        }
    }
    fputs("\n    [[ $1 == stockctl ]] && echo", out);
    for (size_t i = 0; i < count; i++) {
        if (table[i].help != NULL && table[i].is_scripted) {
            fprintf(out, " --%s", table[i].name);
        }
    }
    fputs("\n}\n\n_stockbus_value()\n{\n    case $1 in\n", out);
    for (size_t i = 0; i < count; i++) {
        if (table[i].help != NULL && table[i].argument != NULL) {
            fprintf(out, "    --%s) echo %s ;;\n", table[i].name, table[i].argument);
        }
    }
    fputs("    esac\n}\n", out);
}

enum outcome
completion_script_write(FILE *out, const char *shell)
{
    if (strcmp(shell, "bash") != 0) {
        char shown[TEXT_SHOWN_SIZE];
        char escaped[TEXT_ESCAPE_SIZE * sizeof shown];
        fprintf(stderr, "stockctl: --completion: there is none for '%s', only for bash\n",
            text_escape(text_shorten(shell, shown), escaped, sizeof escaped));
        return OUTCOME_USAGE;
    }
    fputs("# bash completion of stock and stockctl, made by: stockctl --completion bash\n\n", out);
    write_commands(out);
    write_options(out);
    fputs(body, out);
    return OUTCOME_DONE;
}
