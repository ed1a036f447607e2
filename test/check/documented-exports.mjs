/**
 * ESLint rule: every exported declaration carries a doc comment directly above it.
 *
 * Of a group of overloads the first carries it.
 */
export const documentedExports = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { missing: 'Document the export "{{name}}": one sentence that adds something to the name.' },
  },
  create(context) {
    return {
      ExportNamedDeclaration(node) {
        if (node.declaration === null || node.declaration === undefined) return
        if (isLaterOverload(node) || hasDocComment(context.sourceCode, node)) return
        context.report({ node, messageId: 'missing', data: { name: nameOf(node.declaration) } })
      },
    }
  },
}

function hasDocComment(sourceCode, node) {
  const anchor = node.declaration.decorators?.[0] ?? node
  const comments = sourceCode.getCommentsBefore(anchor.range[0] < node.range[0] ? anchor : node)
  // A directive to the linter may stand between.
  const last = comments.filter((comment) => !comment.value.startsWith(' eslint-')).at(-1)
  return last?.type === 'Block' && last.value.startsWith('*')
}

function isLaterOverload(node) {
  const siblings = node.parent.body
  const before = siblings[siblings.indexOf(node) - 1]
  return (
    before?.type === 'ExportNamedDeclaration' &&
    before.declaration?.type === 'TSDeclareFunction' &&
    nameOf(before.declaration) === nameOf(node.declaration)
  )
}

function nameOf(declaration) {
  return declaration.id?.name ?? declaration.declarations?.[0]?.id?.name ?? 'unnamed'
}
