import type { SqlSession } from '../sql-session.js'
import { quoted } from '../table-names.js'
import type { NeededRights } from './dialect.js'
import { textArray } from './postgresql-queue.js'

const TO_ROLE = "' TO ' || quote_ident(current_user)"

// `nextval` takes either of the two rights. What a default calls it on is found by its dependencies, as the ids of a table
// that Celery made may come from a sequence of another name.
const MISSING = `WITH relation AS (SELECT to_regclass(name) AS id FROM unnest($1::text[]) AS name),
  counter AS (
    SELECT to_regclass(name)::oid AS id FROM unnest($2::text[]) AS name
    UNION SELECT refobjid FROM pg_depend JOIN pg_attrdef ON pg_attrdef.oid = objid JOIN relation ON relation.id = adrelid
      WHERE classid = 'pg_attrdef'::regclass AND refclassid = 'pg_class'::regclass)
  SELECT 'GRANT ' || string_agg(privilege, ', ' ORDER BY privilege DESC) || ' ON ' || id::text || ${TO_ROLE}
    FROM relation, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
    WHERE NOT has_table_privilege(id, privilege) GROUP BY id
  UNION ALL SELECT 'GRANT USAGE ON SEQUENCE ' || id::regclass::text || ${TO_ROLE}
    FROM counter JOIN pg_class ON pg_class.oid = id
    WHERE CASE WHEN relkind = 'S' THEN NOT has_sequence_privilege(id, 'USAGE, UPDATE') END`

/** See `SqlDialect.missingGrants`. */
export async function missingGrants(
  session: SqlSession,
  { tables, sequences }: NeededRights,
): Promise<readonly string[]> {
  const listOf = (names: readonly string[]): string => textArray(names.map((name) => quoted(name, '"')))
  const rows = await session.all(MISSING, [listOf(tables), listOf(sequences)])
  return rows.map(([grant]) => String(grant))
}
