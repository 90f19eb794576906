import { Bmn } from './server.js';

/** One server for all tests that leave it running. */
export default async function setup(project) {
  const server = await Bmn.start();
  project.provide('bmn', { url: server.url, home: server.home });
  return () => server.stop();
}
