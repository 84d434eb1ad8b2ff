/** How a provider applies the stack's objects. */
export const applyOptions = {
  // Overwrite manual changes to fields that the stack manages.
  enablePatchForce: true,
  // Take over an object that exists already, as kubectl apply does. Otherwise, a preview of a Service with a changed
  // port fails, and so does every update after one that was killed between a creation and its record in the state.
  // Two consequences: the namespace is claimed first (../workloads/namespace.ts), and a renamed resource without an
  // alias would delete the live object (test/program/urns.test.ts).
  // https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/#upsertexistingobjects_nodejs
  upsertExistingObjects: true,
};
