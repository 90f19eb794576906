/** Prints the tests that failed and passed when they ran again, and fails the run where they are more than FLAKES. */
export default class Flakes {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const flaky = tests.filter((test) => test.diagnostic()?.flaky);
    for (const test of flaky) console.log(`FLAKY ${test.module.relativeModuleId} ${test.fullName}: failed, then passed`);
    const allowed = Number(process.env.FLAKES ?? 0);
    if (flaky.length) console.log(`${flaky.length} flaky tests; FLAKES=${allowed} are allowed`);
    if (flaky.length > allowed) process.exitCode = 1;
  }
}
