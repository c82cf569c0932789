export interface Suggestion {
  value: string
  description: string
}

type Places = Map<string, Suggestion[]>

// Each script knows all places, so that no key starts Node, and walks along the words to the place of the last one.

export const bash = (places: Places): string => `# Completion of gatehouse for bash: eval "$(gatehouse completion bash)"
__gatehouse_at() {
  case $1 in
${posixCases(places)}
  esac
}

_gatehouse() {
  local line=\${COMP_LINE:0:COMP_POINT} place=gatehouse expecting='' position=0 current='' word value
  local -a words
  # COMP_WORDS is cut at colons, too.
  read -ra words <<< "$line"
  if [[ $line != *[[:space:]] ]]; then
    current=\${words[\${#words[@]}-1]}
    words[\${#words[@]}-1]=''
  fi
  for word in "\${words[@]:1}"; do
    if [[ -z $word ]]; then continue
    elif [[ -n $expecting ]]; then expecting=''
    elif [[ $word == -* ]]; then if __gatehouse_at "$place $word" > /dev/null; then expecting=$word; fi
    elif __gatehouse_at "$place $word -" > /dev/null; then place="$place $word"
    else position=$((position + 1))
    fi
  done
  if [[ -n $expecting ]]; then place="$place $expecting"
  elif [[ $current == -* ]]; then place="$place -"
  elif __gatehouse_at "$place $position" > /dev/null; then place="$place $position"
  else place="$place rest"
  fi
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value == @file ]]; then
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$current")
      compopt -o filenames 2> /dev/null
    elif [[ $value == "$current"* ]]; then
      # Readline replaces what follows the last colon alone.
      if [[ $current == *:* ]]; then value=\${value#"\${current%:*}:"}; fi
      COMPREPLY+=("$value")
    fi
  done < <(__gatehouse_at "$place")
}

complete -F _gatehouse gatehouse
`

export const zsh = (places: Places): string => `#compdef gatehouse
# Completion of gatehouse for zsh: eval "$(gatehouse completion zsh)", after compinit
__gatehouse_at() {
  case $1 in
${posixCases(places)}
  esac
}

_gatehouse() {
  local place=gatehouse expecting='' position=0 current=\${words[CURRENT]} word line
  local -a suggestions
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $expecting ]]; then expecting=''
    elif [[ $word == -* ]]; then if __gatehouse_at "$place $word" > /dev/null; then expecting=$word; fi
    elif __gatehouse_at "$place $word -" > /dev/null; then place="$place $word"
    else position=$((position + 1))
    fi
  done
  if [[ -n $expecting ]]; then place="$place $expecting"
  elif [[ $current == -* ]]; then place="$place -"
  elif __gatehouse_at "$place $position" > /dev/null; then place="$place $position"
  else place="$place rest"
  fi
  for line in "\${(@f)$(__gatehouse_at "$place")}"; do
    if [[ $line == @file* ]]; then _files; return; fi
    if [[ -n $line ]]; then suggestions+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}"); fi
  done
  _describe gatehouse suggestions
}

if [[ \${funcstack[1]} == _gatehouse ]]; then _gatehouse; else compdef _gatehouse gatehouse; fi
`

export const fish = (places: Places): string => `# Completion of gatehouse for fish: gatehouse completion fish | source
function __gatehouse_at
  switch "$argv[1]"
${[...places].map(([place, suggestions]) => `    case ${quote(place)}\n      ${printing(suggestions)}`).join('\n')}
    case '*'
      return 1
  end
end

function __gatehouse_suggestions
  set -l place gatehouse
  set -l expecting ''
  set -l position 0
  set -l typed (commandline -opc)
  for word in $typed[2..-1]
    if test -n "$expecting"
      set expecting ''
    else if string match -q -- '-*' $word
      if __gatehouse_at "$place $word" > /dev/null
        set expecting $word
      end
    else if __gatehouse_at "$place $word -" > /dev/null
      set place "$place $word"
    else
      set position (math $position + 1)
    end
  end
  if test -n "$expecting"
    set place "$place $expecting"
  else if string match -q -- '-*' (commandline -ct)
    set place "$place -"
  else if __gatehouse_at "$place $position" > /dev/null
    set place "$place $position"
  else
    set place "$place rest"
  end
  if test "$(__gatehouse_at $place)" = "@file"\\t
    __fish_complete_path (commandline -ct)
  else
    __gatehouse_at $place
  end
end

complete -c gatehouse -e
complete -c gatehouse -f -a '(__gatehouse_suggestions)'
`

const posixCases = (places: Places): string =>
  [
    ...[...places].map(([place, suggestions]) => `    ${quote(place)}) ${printing(suggestions)} ;;`),
    '    *) return 1 ;;'
  ].join('\n')

/** A command for every shell that prints a suggestion a line, with a tab before its description. */
const printing = (suggestions: Suggestion[]): string =>
  suggestions.length === 0
    ? 'true'
    : `printf '%s\\t%s\\n' ${suggestions.map(({ value, description }) => `${quote(value)} ${quote(description)}`).join(' ')}`

/** Every shell of the three reads it as the same text, as long as there is no backslash in it. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
