/** Everything that the package exports, as a strict application uses it. */

import { StrictMode } from 'react';
import {
  ApiError,
  BmnProvider,
  createSocket,
  followJob,
  useAgent,
  useApi,
  useBrandAssets,
  useCredits,
  useEstimate,
  useGenerate,
  useGenerationProgress,
  useJob,
  useJobs,
  useKit,
  usePictures,
  useReconnectionRecovery,
  useSocket,
} from 'bmn-web';
import type { Asset, JobState, Picture, Turn } from 'bmn-web';

export function follow(jobId: string, show: (state: JobState) => void): () => void {
  const socket = createSocket('/wizard', { url: 'https://api.example.com', getToken: () => null });
  const leave = followJob(socket, jobId, show);
  return () => {
    leave();
    socket.disconnect();
  };
}

function Page({ brandId, jobId }: { brandId: string; jobId: string | null }) {
  const api = useApi();
  const credits = useCredits();
  const jobs = useJobs({ queue: 'logo-generation', limit: 10 });
  const job = useJob(jobId);
  const { kit } = useKit(null);
  const { estimate } = useEstimate('logos', { brandId, count: 4 });
  const logos = useGenerate('logos');
  const agent = useAgent(brandId);
  const { pictures } = usePictures(logos.jobId, 4);
  const { progress, status } = useGenerationProgress(brandId, jobId);
  const { assets, select } = useBrandAssets(brandId);
  const { socket, connected, error } = useSocket('/wizard');
  useReconnectionRecovery(socket, { brandId, jobIds: jobId ? [jobId] : [], onState: ({ state }) => console.log(state) });

  const made: Asset[] = logos.assets;
  const words = (turn: Turn): string => `${turn.who}: ${turn.text}`;
  const share = (picture: Picture): number => picture.share;
  const code: number = error instanceof ApiError ? error.status : 0;
  return (
    <main data-kit={kit?.state} data-code={code} data-place={job.position ?? ''}>
      <p>{connected ? 'live' : error?.message}</p>
      <p>
        {credits.remaining} {estimate?.credits} {jobs.total} {status} {progress} {made.length}
      </p>
      <button onClick={() => logos.generate({ brandId })}>Make four logos</button>
      <button onClick={() => logos.cancel()}>Stop</button>
      <button onClick={() => logos.retry()}>Again</button>
      <button onClick={() => agent.ask('brand-identity')}>Who are we?</button>
      <button onClick={() => api('/brands')}>Brands</button>
      {agent.messages.map(words)}
      {pictures.map(share)}
      {assets.map(({ id, url }) => (
        <img key={id} src={url} alt="" onClick={() => select(id)} />
      ))}
    </main>
  );
}

export const app = (
  <StrictMode>
    <BmnProvider url="https://api.example.com" getToken={async () => null}>
      <Page brandId="b" jobId={null} />
    </BmnProvider>
  </StrictMode>
);
document.body.append(String(app), String(follow));
