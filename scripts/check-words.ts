import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Words of an earlier style, and what to write instead: the glossary has the usual ones. */
const forbidden: [pattern: RegExp, instead: string][] = [
  [/\bwhoever\b/i, 'name the caller, the user or the client'],
  [/\bwhom\b/i, 'turn the sentence round'],
  [/\bnone of (ours|theirs)\b/i, 'say what it is'],
  [/\bthe own\b/i, 'your, or its'],
  [/\bdoors?\b/i, 'a route, a path, or access'],
  [/\bcausers?\b/i, 'sender'],
  [/\bpatien(ce|tly)\b/i, 'a timeout'],
  [/(t\.test\(|^\s+)['"`]([A-Z]{1,2}\d{1,2})(, [A-Z]{1,2}\d{1,2})*: /, 'a sentence, without an id'],
  [/\b(Requirement|Findings?) [A-Z]{1,2}\d/, 'the reason, not the id of a page that is elsewhere'],
  [/\b(most|longest|fewest|least)[A-Z]/, 'max… or min…']
]

const prose = /\.(md|ts|js|mustache|html)$/
const exempt = /^(scripts\/check-words\.ts|clients\/.*\/generated\/)/

/** What was written once and stays as it was. */
const history = /^(CHANGELOG\.md|docs\/decisions\/)/

/** Characters of a line of prose: longer ones cannot be read, nor their changes reviewed. */
const maxLine = 200

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' }).trim().split('\n')
const faults: string[] = []
for (const file of files.filter((name) => prose.test(name) && !exempt.test(name))) {
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    const place = `${file}:${String(index + 1)}`
    for (const [pattern, instead] of history.test(file) ? [] : forbidden) {
      const [found] = pattern.exec(line) ?? []
      if (found !== undefined) faults.push(`${place}: "${found}": write ${instead}`)
    }
    if (file.endsWith('.md') && line.length > maxLine && !line.startsWith('|')) {
      faults.push(`${place}: a line of ${String(line.length)} characters: at most ${String(maxLine)}`)
    }
  }
}
for (const fault of faults) process.stdout.write(`${fault}\n`)
process.exitCode = faults.length > 0 ? 1 : 0
