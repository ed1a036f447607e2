/** The page `docs/reference/configuration.md`. */
export function configPage(descriptions, inactive, lowerName) {
  const areas = [...new Set(descriptions.map((option) => option.area))]
  const sections = areas.map((area) =>
    areaSection(
      area,
      descriptions.filter((option) => option.area === area),
    ),
  )
  const parts = [intro(descriptions, inactive, areas), ...sections, inactiveSection(inactive, lowerName)]
  return `${parts.join('\n\n')}\n`
}

function intro(descriptions, inactive, areas) {
  return `<!-- Generated from the option table by test/check/generate-reference.mjs. -->

# Configuration

Every option has one value and up to four names: camelCase (the typed form), Celery's lower-case name, the upper-case
name from before Celery 4, and an environment variable. There are ${descriptions.length} options; ${inactive.size} more of
Celery's are [accepted and ignored](#accepted-and-ignored).

## Where options come from

A higher line wins, option by option:

1. a change at run time: \`app.conf.taskAcksLate = false\`, \`app.conf.update({ … })\`, options of the command line;
2. the environment: \`LOVAGE_<OPTION>\`, then \`CELERY_<OPTION>\` and Celery's old names that begin with \`CELERY\`, and
   \`BROKER_URL\`; empty variables count as not set;
3. the source that was loaded last: an object, a settings module or an ini file;
4. the options given to \`new Lovage(name, options)\`;
5. defaults that a library added with \`app.conf.addDefaults({ … })\`;
6. the default in the tables below.

Loading a source takes back what an earlier source and changes at run time had set.

From an object or a module an unknown name is an error with a suggestion; with a namespace only names that begin with
it are read, and an unknown one warns. From the environment and an ini file only names of these tables are read, a near
miss warns, and all other keys stay the host's: \`app.conf['sqlalchemy.url']\`. Celery's old and new names side by side
in one source are an error that lists what to rename; camelCase goes with either.

A **length of time** is a number of seconds, or an object that names its unit: \`{ milliseconds: 250 }\`,
\`{ minutes: 5 }\`, a luxon \`Duration\`. In the environment and in ini files it is a number of seconds or such an object
as JSON. \`None\`, \`null\` and empty text stand for "not set".

## Ini files

The dialect is PasteDeploy's. \`[app:main]\` is read first, then \`[celery]\` and \`[lovage]\`, each on top of the one
before.

\`\`\`ini
[DEFAULT]
redis = localhost

[app:main]
use = config:base.ini
BROKER_URL = redis://:\${REDIS_PASSWORD}@%(redis)s/0
CELERY_IMPORTS =
    shop.tasks
    mail.tasks

[celery:broker_transport_options]
visibility_timeout = 3600

[celeryroutes]
feed.* = feeds
mail.send = {"queue": "mail", "priority": 5}

[celerybeat:sweep]
task = shop.sweep
type = timedelta
schedule = {"minutes": 5}

[celerybeat:invoice]
task = shop.invoice
type = crontab
schedule = {"minute": 0, "hour": 8, "day_of_month": 1}
args = ["monthly"]
\`\`\`

- \`use = config:base.ini\` puts all sections of another file below those of this one (\`config:base.ini#admin\` takes
  \`[app:admin]\` for its application). \`./development.ini#admin\` does the same for the file itself.
- \`%(here)s\` is the folder of the file, \`%(key)s\` a key of the section or of \`[DEFAULT]\`, \`%%\` a per cent sign,
  \`\${NAME}\` and \`\${NAME:-text}\` a variable of the environment. A per cent sign on its own stays as it is.
- Lists are split at white space, commas and lines; objects are JSON. \`[celery:<option>]\` writes an object as a section.
- \`type\` of a schedule is \`crontab\`, \`timedelta\` or \`integer\` (seconds). Python expressions are never evaluated.
- A single word in \`[app:main]\` that is also an option (\`delay\`, \`lease\`) is left to the host when its value does not
  fit the option; \`[lovage]\` is the place for it.

## Contents

${areas.map((area) => `- [${area}](#${anchor(area)})`).join('\n')}
- [Accepted and ignored](#accepted-and-ignored)`
}

function anchor(title) {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')
}

function areaSection(area, options) {
  return [`## ${area}`, ...options.map(entry)].join('\n\n')
}

/** Names by the reason why nothing acts on them. */
function inactiveSection(inactive, lowerName) {
  const byReason = new Map()
  for (const [name, { reason }] of inactive) byReason.set(reason, [...(byReason.get(reason) ?? []), name])
  const lines = [...byReason].map(
    ([reason, names]) => `- ${reason}: ${names.map((name) => code(lowerName(name))).join(', ')}`,
  )
  return `## Accepted and ignored

So that one settings file serves Python and Node, these settings of Celery are no error in any of their spellings. Nothing
acts on them; a worker names those that are set.

${lines.join('\n')}`
}

function entry(option) {
  const names = [...option.aliases, option.lowerName, ...option.oldNames]
  const spellings = [...new Set(names)].filter((name) => name !== option.name)
  const deprecated = option.deprecated === undefined ? '' : `\n\nDeprecated: ${option.deprecated}.`
  return `### ${option.name}

${option.doc}${deprecated}

- **Value:** ${option.form}
- **Default:** ${option.defaultText}
- **Also spelled:** ${spellings.length === 0 ? 'no other way' : spellings.map(code).join(', ')}
- **Environment:** ${option.variables.map(code).join(', ')}`
}

function code(text) {
  return `\`${text}\``
}
