/**
 * What goes over the wire, both ways. Written by `make web` out of the server's own models: change those instead.
 */

export interface Accepted {
  jobId: string;
  queueName: string;
  message: string;
}

export interface Advice {
  command: string;
  text: string;
}

export interface AgentMessage {
  jobId: string;
  brandId: string | null;
  seq: number;
  timestamp: number;
  content: string;
}

export interface AlertMute {
  kind: string;
  mutedBy: string;
  reason: string | null;
  mutedAt: string;
  until: string;
}

export interface AlertMutes {
  mutes: AlertMute[];
}

export interface AlertRecord {
  id: number;
  kind: string;
  subject: string;
  severity: "warn" | "error";
  message: string;
  openedAt: string;
  changedAt: string | null;
  resolvedAt: string | null;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  acknowledgedReason: string | null;
  mutedUntil: string | null;
  nextStep: string;
}

export interface Alerts {
  alerts: AlertRecord[];
  mutes: AlertMute[];
}

export interface Asset {
  id: string;
  brandId: string;
  jobId: string | null;
  type: string;
  url: string;
  thumbnailUrl: string | null;
  mimeType: string;
  sizeBytes: number;
  sha256: string;
  metadata: Record<string, any>;
  isSelected: boolean;
  createdAt: string;
}

export interface AssetNew {
  brandId: string;
  asset: AssetSummary;
  timestamp: number;
}

export interface AssetPage {
  assets: Asset[];
  nextCursor: string | null;
}

export interface AssetResult {
  asset: AssetRow;
}

export interface AssetRow {
  id: string;
  brand_id: string;
  job_id: string | null;
  asset_type: string;
  url: string;
  thumbnail_url: string | null;
  mime_type: string;
  metadata: Record<string, any>;
  is_selected: boolean;
  created_at: string;
}

export interface AssetSummary {
  id: string;
  type: string;
  url: string;
  metadata: Record<string, any>;
}

export interface AssetsResult {
  assets: AssetRow[];
}

export interface AuditPage {
  entries: AuditRecord[];
  nextCursor: string | null;
}

export interface AuditRecord {
  id: number;
  at: string;
  actor: string;
  action: string;
  subject: string;
  reason: string | null;
  keyId: string | null;
  keyName: string | null;
  address: string | null;
  onBehalfOf: string | null;
  before: Record<string, any> | null;
  after: Record<string, any> | null;
}

export interface Brand {
  id: string;
  name: string;
  vision: string | null;
  archetype: string | null;
  colorPalette: string[] | null;
  logoStyle: string | null;
  status: string;
  details: Record<string, any>;
  createdAt: string;
  updatedAt: string;
}

export interface BrandBody {
  name: string;
  vision?: string | null;
  archetype?: string | null;
  colorPalette?: string[] | null;
  logoStyle?: "minimal" | "bold" | "vintage" | "modern" | "playful" | null;
}

export interface BrandPage {
  brands: Brand[];
  nextCursor: string | null;
}

export interface BrandPatch {
  name?: string | null;
  vision?: string | null;
  archetype?: string | null;
  colorPalette?: string[] | null;
  logoStyle?: "minimal" | "bold" | "vintage" | "modern" | "playful" | null;
  status?: string | null;
}

export interface BrandUpdated {
  brandId: string;
  field: string;
  value: any;
  timestamp: number;
}

export interface BrowserToken {
  token: string;
  jobId: string | null;
  brandId: string | null;
  groupId?: string | null;
  expiresAt: string;
}

export interface BulkAction {
  id: string;
  action: "retry" | "cancel" | "replay" | "purge";
  state: "running" | "paused" | "done" | "stopped" | "aborted";
  selection: Record<string, any>;
  userId: string | null;
  askedBy: string;
  reason: string | null;
  total: number;
  done: number;
  refused: number;
  left: number;
  failedAgain: number;
  creditsEstimated: number;
  usdEstimated: number;
  credits: number;
  rate: number | null;
  stopAt: number | null;
  message: string | null;
  createdAt: string;
  endedAt: string | null;
  joined?: boolean | null;
}

export interface BulkBody {
  action: "retry" | "cancel" | "replay" | "purge";
  ids?: string[];
  all?: boolean;
  queue?: string[];
  state?: JobState[];
  cause?: string | null;
  brand?: string | null;
  groupId?: string | null;
  text?: string | null;
  since?: number | null;
  until?: number | null;
  minCost?: number | null;
  user?: string | null;
  changes?: Record<string, any>;
  rate?: number | null;
  stopAt?: number | null;
  reason?: string | null;
}

export interface BulkEstimate {
  jobs: number;
  credits: number;
  usd: number;
  sandboxed: boolean;
  usersPastBudget?: number | null;
  about?: boolean | null;
}

export interface BulkItem {
  number: number;
  jobId: string;
  state: "waiting" | "done" | "refused";
  newJobId: string | null;
  credits: number;
  detail: string | null;
  at: string | null;
}

export interface BulkItems {
  items: BulkItem[];
  nextAfter: number | null;
}

export interface BulkPage {
  bulk: BulkAction[];
  nextCursor: string | null;
}

export interface BundlesBody {
  runAt?: string | null;
  runIn?: number | string | null;
  startWithin?: number | string | null;
  finishWithin?: number | string | null;
  priority?: number | null;
  replaces?: boolean | null;
  webhookUrl?: string | null;
  webhookEvents?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
  brandId: string;
  bundleName: string;
  productMockupUrls: string[];
  brandName?: string | null;
  colorPalette?: string[] | null;
  compositionStyle?: "grid" | "lifestyle" | "flatlay" | "showcase";
}

export interface CancelAnswer {
  ok: true;
  message: string;
  state: string;
  creditsCharged?: number | null;
  creditsRefunded?: number | null;
  collectorJobId?: string | null;
}

export interface Cancellation {
  jobId: string;
  state: string;
  message: string;
  creditsCharged?: number | null;
  creditsRefunded?: number | null;
  collectorJobId?: string | null;
}

export interface CauseSurge {
  cause: string;
  queues: string[];
  jobs: number;
  share: number;
  usualShare: number;
  nextStep: string;
}

export interface Check {
  ok: boolean;
  kind?: string | null;
  memoryShare?: number | null;
  evictsNothing?: boolean | null;
  count?: number | null;
  waitingWithoutWorker?: string[] | null;
  degraded?: Record<string, string> | null;
  standIns?: Record<string, string> | null;
  error?: string | null;
  remedy?: string | null;
  ms: number;
}

export interface Checks {
  database: Check;
  redis: Check;
  storage: Check;
  workers: Check;
  providers: Check;
}

export interface CostRow {
  key: string | null;
  calls: number;
  units: number;
  usd: number;
  sandboxed: boolean;
  usdEstimated: number | null;
}

export interface Costs {
  by: string;
  rows: CostRow[];
  totalUsd: number;
  sandboxedUsd: number;
  usdEstimated: number;
  creditsCharged: number;
}

export type Counts = Record<string, number>;

export interface Credits {
  userId: string;
  creditsRemaining: number;
  creditsReserved: number;
  creditsUsed: number;
  ledger: LedgerEntry[];
  nextCursor: string | null;
}

export interface CreditsUpdated {
  userId: string;
  creditsRemaining: number;
  creditsUsed: number;
  timestamp: number;
}

export interface CrmRequest {
  userId: string;
  eventType: "user.created" | "wizard.started" | "wizard.step-completed" | "wizard.abandoned" | "brand.completed" | "subscription.created" | "subscription.cancelled";
  data?: Record<string, any>;
}

export interface CrmResult {
  contactId: string;
}

export interface CrmSkipped {
  skipped: true;
}

export interface DeadLetter {
  id: string;
  jobId: string;
  queueName: string;
  userId: string | null;
  cause: string;
  error: string;
  attempts: number;
  replays: number;
  state: string;
  replayJobId: string | null;
  resolvedBy: string | null;
  resolvedAt: string | null;
  createdAt: string;
}

export interface DeadLetterPage {
  deadLetters: DeadLetter[];
  nextCursor: string | null;
  total: number;
  totalIsExact: boolean;
}

export type DeliveryState = "pending" | "delivered" | "failed" | "dropped";

export interface DlqSelection {
  ids?: string[];
  all?: boolean;
  queue?: string | null;
  cause?: string | null;
  text?: string | null;
  since?: number | null;
  dryRun?: boolean;
  limit?: number;
  reason?: string | null;
}

export interface Done {
  ok: true;
}

export interface DrainBody {
  name: string;
  host?: string | null;
  seconds?: number;
  reason?: string | null;
}

export interface EndpointBody {
  url: string;
  events?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
}

export interface Estimate {
  prompts: string[];
  credits: number;
  creditsAvailable: number;
  usd: number;
  sandboxed: boolean;
  waiting: number;
  warning?: string | null;
  expected?: Expected | null;
  attemptSeconds?: number | null;
}

export interface EventBody {
  crm?: CrmRequest | null;
  email?: MailRequest | null;
}

export interface Expected {
  p50Ms: number;
  p90Ms: number;
  samples: number;
}

export interface FieldErrors {
  formErrors: string[];
  fieldErrors: Record<string, string[]>;
}

export interface GrantBody {
  amount: number;
  userId?: string | null;
  reason?: string | null;
}

export interface Granted {
  userId: string;
  creditsRemaining: number;
}

export interface Health {
  status: "ok" | "degraded" | "down";
  version: string;
  checks: Checks;
}

export interface Incident {
  cause: string | null;
  alert: AlertRecord | null;
  firstSeen: string | null;
  lastSeen: string | null;
  jobs: number;
  healed: number;
  waiting: number;
  failed: number;
  cancelled: number;
  held: number;
  usersHurt: number;
  usersWhole: number;
  creditsWaiting: number;
  creditsRefunded: number;
  usdLost: number;
  remedy: string | null;
  advice: string;
  words: string;
  users: IncidentUser[];
  exact: boolean;
}

export interface IncidentUser {
  userId: string | null;
  jobs: number;
  healed: number;
  waiting: number;
  failed: number;
  cancelled: number;
  creditsRefunded: number;
  madeWhole: boolean;
}

export interface Incidents {
  alerts: AlertRecord[];
  causes: CauseSurge[];
}

export interface Issue {
  loc: (string | number)[];
  msg: string;
  type: string;
}

export interface Job {
  jobId: string;
  queueName: string;
  state: JobState;
  attempt: number;
  maxAttempts: number;
  losses: number;
  progress: number;
  stage: string | null;
  message: string | null;
  error: string | null;
  cause: string | null;
  partial: boolean;
  brandId: string | null;
  brandName: string | null;
  userId: string | null;
  parentId: string | null;
  groupId: string | null;
  requestId: string | null;
  lastSeq: number;
  cancelRequested: boolean;
  creditsReserved: number;
  creditsCharged: number;
  creditsRefunded: number;
  costUsd: number;
  usdEstimated: number | null;
  sandboxed: boolean;
  result: Record<string, any> | null;
  createdAt: string;
  queuedAt: string;
  runAt: string;
  startedAt: string | null;
  completedAt: string | null;
  startBy?: string | null;
  finishBy?: string | null;
  collectsId?: string | null;
  generationJobId?: string | null;
  jobType?: string | null;
}

export interface JobCancelled {
  jobId: string;
  brandId: string | null;
  seq: number;
  timestamp: number;
  status: "cancelled";
  message: string;
  cause?: string | null;
}

export interface JobComplete {
  jobId: string;
  brandId: string | null;
  seq: number;
  timestamp: number;
  status: "complete";
  progress: 100;
  message: string;
  result: LogosResult | AssetResult | AssetsResult | WizardResult | ThumbnailResult | MailResult | CrmResult | CrmSkipped | Counts;
  partial?: boolean;
  step?: string | null;
}

export interface JobFailed {
  jobId: string;
  brandId: string | null;
  seq: number;
  timestamp: number;
  error: string;
  retriesLeft: number;
  cause: string;
  retryAt?: number | null;
  progress?: number | null;
}

export interface JobGroup {
  key: string;
  jobs: number;
  credits: number;
  creditsReserved: number;
  usd: number;
  usdEstimated: number;
}

export interface JobGroups {
  by: "cause" | "queue" | "user" | "hour";
  groups: JobGroup[];
  searchedTo: string | null;
}

export interface JobJoined {
  ok: true;
  seq: number;
  state: "waiting" | "active" | "completed" | "failed" | "delayed" | "cancelled";
}

export interface JobLogs {
  logs: LogLine[];
}

export interface JobPage {
  jobs: Job[];
  nextCursor: string | null;
  total: number;
  totalIsExact: boolean;
  searchedTo: string | null;
}

export interface JobProgress {
  jobId: string;
  brandId: string | null;
  seq: number;
  timestamp: number;
  status: string;
  progress: number;
  message: string;
  step?: string | null;
  toolName?: string | null;
  logoIndex?: number | null;
  attempt?: number | null;
  asset?: AssetRow | null;
  preview?: string | null;
}

export interface JobRecord {
  jobId: string;
  queueName: string;
  state: JobState;
  attempt: number;
  maxAttempts: number;
  losses: number;
  progress: number;
  stage: string | null;
  message: string | null;
  error: string | null;
  cause: string | null;
  partial: boolean;
  brandId: string | null;
  brandName: string | null;
  userId: string | null;
  parentId: string | null;
  groupId: string | null;
  requestId: string | null;
  lastSeq: number;
  cancelRequested: boolean;
  creditsReserved: number;
  creditsCharged: number;
  creditsRefunded: number;
  costUsd: number;
  usdEstimated: number | null;
  sandboxed: boolean;
  result: Record<string, any> | null;
  createdAt: string;
  queuedAt: string;
  runAt: string;
  startedAt: string | null;
  completedAt: string | null;
  startBy?: string | null;
  finishBy?: string | null;
  collectsId?: string | null;
  generationJobId?: string | null;
  jobType?: string | null;
  payload: Record<string, any>;
  timeline: TimelineEvent[];
  units: Unit[];
  assets: Asset[];
  replays: string[];
  position?: number | null;
  collectorJobId?: string | null;
  expected?: Expected | null;
  acts?: AuditRecord[] | null;
}

export type JobState = "queued" | "active" | "retrying" | "completed" | "partial" | "failed" | "cancelled";

export interface JobStatus {
  jobId: string;
  state: "waiting" | "active" | "completed" | "failed" | "delayed" | "cancelled";
  progress: number;
  data: Record<string, any> | null;
  failedReason: string | null;
  seq: number;
}

export interface JobToolError {
  jobId: string;
  brandId: string | null;
  seq: number;
  timestamp: number;
  toolName: string;
  error: string;
}

export interface KeyBody {
  name: string;
  role: Role;
  userId?: string | null;
  expiresIn?: number | null;
  reason?: string | null;
}

export interface KeyRecord {
  id: string;
  name: string;
  role: string;
  userId: string;
  createdBy: string;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  revokedAt: string | null;
  revokedBy: string | null;
}

export interface Keys {
  keys: KeyRecord[];
}

export interface Kit {
  groupId: string;
  brandId: string;
  brandName: string | null;
  userId: string;
  state: "running" | "picking" | "held" | "done" | "cancelled";
  step: "logos" | "pick" | "mockups" | "bundle" | "video";
  message: string;
  cause: string | null;
  pick: number | null;
  logoId: string | null;
  steps: KitStep[];
  creditsEstimated: number;
  usdEstimated: number;
  creditsLeft: number;
  creditsReserved: number;
  creditsCharged: number;
  creditsRefunded: number;
  costUsd: number;
  createdAt: string;
  endedAt: string | null;
}

export interface KitBody {
  brandId: string;
  count?: number;
  pick?: number | null;
  products?: string[];
  without?: ("bundle" | "video")[];
  logoStyle?: "minimal" | "bold" | "vintage" | "modern" | "playful" | null;
  colorPalette?: string[] | null;
  brandVision?: string | null;
  archetype?: string | null;
  bundleName?: string;
  compositionStyle?: "grid" | "lifestyle" | "flatlay" | "showcase";
  videoStyle?: "showcase" | "unboxing" | "lifestyle" | "minimal";
  durationSeconds?: number;
  webhookUrl?: string | null;
  webhookEvents?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
  newBrand?: BrandBody | null;
}

export interface KitEstimate {
  brandId?: string;
  count?: number;
  pick?: number | null;
  products?: string[];
  without?: ("bundle" | "video")[];
  logoStyle?: "minimal" | "bold" | "vintage" | "modern" | "playful" | null;
  colorPalette?: string[] | null;
  brandVision?: string | null;
  archetype?: string | null;
  bundleName?: string;
  compositionStyle?: "grid" | "lifestyle" | "flatlay" | "showcase";
  videoStyle?: "showcase" | "unboxing" | "lifestyle" | "minimal";
  durationSeconds?: number;
  webhookUrl?: string | null;
  webhookEvents?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
  newBrand?: BrandBody | null;
}

export interface KitJob {
  jobId: string;
  state: JobState;
  progress: number;
  name: string | null;
  message: string | null;
}

export interface KitPage {
  kits: Kit[];
  nextCursor: string | null;
}

export interface KitPrice {
  steps: KitStepPrice[];
  credits: number;
  creditsAvailable: number;
  creditsPromised: number;
  usd: number;
  usdSandboxed: number;
  sandboxed: boolean;
  warning?: string | null;
}

export interface KitStep {
  step: "logos" | "pick" | "mockups" | "bundle" | "video";
  state: "waiting" | "running" | "picking" | "held" | "done" | "cancelled";
  jobs: KitJob[];
}

export interface KitStepPrice {
  step: "logos" | "pick" | "mockups" | "bundle" | "video";
  jobs: number;
  credits: number;
  usd: number;
  prompts: string[];
  sandboxed: boolean;
  unknown: string | null;
  expected?: Expected | null;
}

export interface KitUpdated {
  groupId: string;
  brandId: string;
  state: string;
  step: string;
  message: string;
  cause?: string | null;
  timestamp: number;
}

export interface LedgerEntry {
  at: string;
  kind: string;
  amount: number;
  jobId: string | null;
  reason: string | null;
}

export interface ListenBody {
  events?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
}

export interface Liveness {
  status: "ok";
  version: string;
  home?: string | null;
}

export interface LogLine {
  id: number;
  at: string;
  level: string;
  message: string;
  attempt: number;
  fields: Record<string, any>;
}

export interface LogosBody {
  runAt?: string | null;
  runIn?: number | string | null;
  startWithin?: number | string | null;
  finishWithin?: number | string | null;
  priority?: number | null;
  replaces?: boolean | null;
  webhookUrl?: string | null;
  webhookEvents?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
  brandId: string;
  newBrand?: BrandBody | null;
  brandName?: string | null;
  logoStyle?: "minimal" | "bold" | "vintage" | "modern" | "playful" | null;
  colorPalette?: string[] | null;
  brandVision?: string | null;
  archetype?: string | null;
  count?: number;
  isRefinement?: boolean;
  previousLogoUrl?: string | null;
  refinementNotes?: string | null;
  look?: "keep" | "change" | null;
}

export interface LogosEstimate {
  runAt?: string | null;
  runIn?: number | string | null;
  startWithin?: number | string | null;
  finishWithin?: number | string | null;
  priority?: number | null;
  replaces?: boolean | null;
  webhookUrl?: string | null;
  webhookEvents?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
  brandId?: string;
  newBrand?: BrandBody | null;
  brandName?: string | null;
  logoStyle?: "minimal" | "bold" | "vintage" | "modern" | "playful" | null;
  colorPalette?: string[] | null;
  brandVision?: string | null;
  archetype?: string | null;
  count?: number;
  isRefinement?: boolean;
  previousLogoUrl?: string | null;
  refinementNotes?: string | null;
  look?: "keep" | "change" | null;
}

export interface LogosResult {
  logos: AssetRow[];
  generated: number;
  requested: number;
}

export interface MadeKey {
  id: string;
  name: string;
  role: string;
  userId: string;
  createdBy: string;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  revokedAt: string | null;
  revokedBy: string | null;
  key: string;
}

export interface MadeWebhookEndpoint {
  id: string;
  url: string;
  events: string[];
  createdAt: string;
  disabledAt?: string | null;
  disabledReason?: string | null;
  key: string;
}

export interface MailRequest {
  to: string;
  template: "welcome" | "brand-complete" | "wizard-abandoned" | "password-reset" | "subscription-confirmed" | "subscription-cancelled" | "generation-failed" | "generation-ready" | "kit-waiting" | "support-ticket";
  data?: Record<string, any>;
  userId?: string | null;
}

export interface MailResult {
  mailId: string | null;
}

export interface Me {
  userId: string;
  role: string;
  keyId: string | null;
  expiresAt: string | null;
}

export interface Misfit {
  field: string;
  problem: string;
  value: string;
}

export interface MockupJob {
  productId: string;
  jobId: string;
  queueName: string;
}

export interface MockupProduct {
  productId: string;
  productName: string;
  productCategory: string;
  mockupTemplateUrl?: string | null;
  mockupInstructions?: string | null;
}

export interface MockupsBody {
  runAt?: string | null;
  runIn?: number | string | null;
  startWithin?: number | string | null;
  finishWithin?: number | string | null;
  priority?: number | null;
  replaces?: boolean | null;
  webhookUrl?: string | null;
  webhookEvents?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
  brandId: string;
  products: MockupProduct[];
  logoUrl: string;
  colorPalette?: string[] | null;
}

export interface MockupsSubmitted {
  jobs: MockupJob[];
  message: string;
  warning?: string | null;
  ended?: JobState | null;
  replaced?: string[] | null;
}

export interface MuteBody {
  kind: string;
  seconds: number;
  reason?: string | null;
}

export interface OutcomeBody {
  status?: number | null;
  error?: string | null;
}

export interface Overview {
  queues: QueueStatus[];
  workers: WorkerStatus[];
  redis: boolean;
  alerts: AlertRecord[];
  ended: number[];
  failed: number[];
  usdHour: number;
  usdHourSandboxed: number;
  usdLimit: number;
}

export interface PauseBody {
  reason?: string;
}

export interface PickBody {
  assetId: string;
}

export interface ProbeRecord {
  queue: string;
  worker: string;
  host: string | null;
  jobId: string | null;
  paused: boolean;
}

export interface Probes {
  probes: ProbeRecord[];
  unserved: string[];
}

export interface Problem {
  error: string;
  code: string;
  hint?: string | null;
  details?: FieldErrors | null;
  issues?: Issue[] | null;
  misfits?: Misfit[] | null;
  requestId?: string | null;
  cause?: string | null;
  required?: number | null;
  available?: number | null;
  state?: string | null;
  replay?: string | null;
}

export interface Product {
  id: string;
  slug: string;
  name: string;
  category: string;
  instructions: string | null;
  baseCostUsd: number;
}

export interface Products {
  products: Product[];
}

export interface ProviderCallRecord {
  unit: string | null;
  attempt: number | null;
  provider: string;
  operation: string;
  model: string | null;
  outcome: string;
  status: number | null;
  ms: number;
  usd: number;
  sandboxed: boolean;
  requestId: string | null;
  at: string;
}

export interface ProviderCalls {
  jobId: string;
  queueName: string;
  calls: ProviderCallRecord[];
}

export interface Purged {
  count: number;
}

export interface QueueCounts {
  waiting: number;
  active: number;
  failed: number;
}

export interface QueueFigures {
  waiting: number;
  active: number;
  failed: number;
  completed: number;
  delayed: number;
}

export interface QueueStats {
  stats: Record<string, QueueCounts>;
  timestamp: number;
}

export interface QueueStatus {
  name: string;
  waiting: number;
  active: number;
  delayed: number;
  completed: number;
  failed: number;
  cancelled: number;
  workers: number | null;
  oldestWaitSeconds: number | null;
  p50Ms: number | null;
  p95Ms: number | null;
  paused: boolean;
  cause: string | null;
  reason: string | null;
  pausedBy: string | null;
  pausedAt: string | null;
  triedAgainAt: string | null;
  nextRunAt: string | null;
}

export interface Queues {
  queues: QueueStatus[];
}

export interface ReasonBody {
  reason?: string | null;
}

export interface Refusal {
  error: string;
  retryAfter?: number | null;
}

export interface ReplayedLetter {
  id: string;
  jobId: string | null;
  parentId: string;
  credits: number;
  error: string | null;
}

export interface Replays {
  replays: ReplayedLetter[];
  count: number;
  estimatedCredits?: number | null;
}

export interface Retried {
  jobId: string;
  parentId: string;
  queueName: string;
  credits: number;
  message: string;
}

export interface RetryAnswer {
  ok: true;
  jobId: string;
}

export interface RetryBody {
  changes?: Record<string, any>;
  reason?: string | null;
}

export type Role = "viewer" | "operator" | "admin" | "service" | "user";

export interface ScaleBody {
  queue: string;
  count: number;
  host?: string | null;
  reason?: string | null;
}

export interface Scaled {
  queue: string;
  count: number;
  supervisors: string[];
  workers: WorkerStatus[];
}

export interface SessionBody {
  path?: string;
}

export interface Share {
  id: string;
  url: string;
  jobId: string | null;
  brandId: string | null;
  brandName: string | null;
  pictures: number;
  createdAt: string;
  expiresAt: string;
  revokedAt: string | null;
}

export interface ShareBody {
  hours?: number;
}

export interface ShareLink {
  id: string;
  url: string;
  token: string;
  expiresAt: string;
}

export interface SharedAsset {
  id: string;
  type: string;
  url: string;
  thumbnailUrl: string | null;
  createdAt: string;
}

export interface SharedJob {
  jobId: string;
  queueName: string;
  state: JobState;
  progress: number;
  brandName: string | null;
  createdAt: string;
  assets: SharedAsset[];
}

export interface Shares {
  shares: Share[];
  nextCursor: string | null;
}

export interface SignInLink {
  url: string;
  expiresAt: string;
}

export interface StatsAnswer {
  stats: Record<string, QueueFigures>;
}

export interface Submitted {
  jobId: string;
  generationJobId: string;
  queueName: string;
  message: string;
  warning?: string | null;
  ended?: JobState | null;
  replaced?: string[] | null;
}

export interface SystemAlert {
  type: string;
  message: string;
  severity: "info" | "warn" | "error";
  metadata: Record<string, any>;
  timestamp: number;
}

export interface SystemError {
  queue: string;
  jobId: string;
  error: string;
  cause: string;
  userId?: string | null;
  brandId?: string | null;
  attempts: number;
  timestamp: number;
}

export interface ThumbnailResult {
  thumbnailUrl: string;
  storageKey: string;
}

export interface TimelineEvent {
  seq: number;
  event: string;
  at: string;
  data: Record<string, any>;
}

export interface TokenBody {
  jobId?: string | null;
  brandId?: string | null;
  groupId?: string | null;
  expiresIn?: number;
}

export interface Unit {
  unit: string;
  state: string;
  provider: string | null;
  credits: number;
  costUsd: number;
  cause: string | null;
  error: string | null;
  ambiguous: boolean;
  assetId: string | null;
  updatedAt: string;
}

export interface UnmuteBody {
  kind: string;
  reason?: string | null;
}

export interface VideosBody {
  runAt?: string | null;
  runIn?: number | string | null;
  startWithin?: number | string | null;
  finishWithin?: number | string | null;
  priority?: number | null;
  replaces?: boolean | null;
  webhookUrl?: string | null;
  webhookEvents?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
  brandId: string;
  productName: string;
  productMockupUrl: string;
  logoUrl?: string | null;
  brandName?: string | null;
  colorPalette?: string[] | null;
  videoStyle?: "showcase" | "unboxing" | "lifestyle" | "minimal";
  durationSeconds?: number;
}

export interface WebhookDeliveries {
  deliveries: WebhookDelivery[];
  nextCursor: string | null;
}

export interface WebhookDelivery {
  id: string;
  event: string;
  state: string;
  url: string;
  jobId: string;
  endpointId: string | null;
  attempts: number;
  status: number | null;
  error: string | null;
  payload: Record<string, any>;
  createdAt: string;
  attemptedAt: string | null;
  endedAt: string | null;
  deliveryJobId?: string | null;
}

export interface WebhookEndpoint {
  id: string;
  url: string;
  events: string[];
  createdAt: string;
  disabledAt?: string | null;
  disabledReason?: string | null;
}

export interface WebhookEndpoints {
  endpoints: WebhookEndpoint[];
}

export interface WebhookMessage {
  id: string;
  event: string;
  jobId: string;
  body: string;
  headers: Record<string, string>;
}

export interface WebhookMessages {
  messages: WebhookMessage[];
}

export interface WebhookSecret {
  key: string;
}

export interface WebhookTestBody {
  endpointId?: string | null;
  url?: string | null;
}

export interface Why {
  jobId: string;
  state: JobState;
  headline: string;
  cause: string | null;
  causeText: string;
  money: string;
  kept: string;
  try: Advice;
}

export interface WizardBody {
  runAt?: string | null;
  runIn?: number | string | null;
  startWithin?: number | string | null;
  finishWithin?: number | string | null;
  priority?: number | null;
  replaces?: boolean | null;
  webhookUrl?: string | null;
  webhookEvents?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
  brandId: string;
  newBrand?: BrandBody | null;
  step: "social-analysis" | "brand-identity" | "customization" | "logo-generation" | "logo-refinement" | "product-selection" | "mockup-review" | "bundle-builder" | "profit-calculator";
  input?: Record<string, any>;
  sessionId?: string | null;
  look?: "keep" | "change" | null;
}

export interface WizardEstimate {
  runAt?: string | null;
  runIn?: number | string | null;
  startWithin?: number | string | null;
  finishWithin?: number | string | null;
  priority?: number | null;
  replaces?: boolean | null;
  webhookUrl?: string | null;
  webhookEvents?: ("job.started" | "job.progress" | "job.completed" | "job.failed" | "job.cancelled" | "asset.created")[] | null;
  brandId: string;
  newBrand?: BrandBody | null;
  step: "social-analysis" | "brand-identity" | "customization" | "logo-generation" | "logo-refinement" | "product-selection" | "mockup-review" | "bundle-builder" | "profit-calculator";
  input?: Record<string, any>;
  sessionId?: string | null;
  look?: "keep" | "change" | null;
}

export interface WizardResult {
  sessionId: string;
  step: string;
  result: string;
  turns: number;
  cost: number;
  suggestions: Record<string, any>;
  profits: Record<string, any>;
  jobs: string[];
  proposed?: Record<string, any>;
  proposal?: string;
}

export interface WorkerStatus {
  name: string;
  queue: string;
  host: string | null;
  pid: number | null;
  state: string | null;
  release: string | null;
  supervisor: string | null;
  jobs: string[];
  memoryBytes: number | null;
  startedAt: string | null;
  heartbeatAt: string | null;
}

export interface Workers {
  workers: WorkerStatus[];
  redis: boolean;
}

export interface JobEvents {
  "job:progress": JobProgress;
  "job:tool-error": JobToolError;
  "agent:message": AgentMessage;
  "job:failed": JobFailed;
  "job:complete": JobComplete;
  "job:cancelled": JobCancelled;
}

export interface DashboardEvents {
  "brand:updated": BrandUpdated;
  "asset:new": AssetNew;
  "credits:updated": CreditsUpdated;
  "kit:updated": KitUpdated;
}

export interface AdminEvents {
  "system:queue-stats": QueueStats;
  "system:error": SystemError;
  "system:alert": SystemAlert;
}

export interface Answers {
  "POST /api/v1/generation/wizard": Submitted;
  "POST /api/v1/generation/logos": Submitted;
  "POST /api/v1/generation/mockups": MockupsSubmitted;
  "POST /api/v1/generation/bundles": Submitted;
  "POST /api/v1/generation/videos": Submitted;
  "POST /api/v1/generation/wizard/estimate": Estimate;
  "POST /api/v1/generation/logos/estimate": Estimate;
  "POST /api/v1/generation/mockups/estimate": Estimate;
  "POST /api/v1/generation/bundles/estimate": Estimate;
  "POST /api/v1/generation/videos/estimate": Estimate;
  "POST /api/v1/generation/kits": Kit;
  "POST /api/v1/generation/kits/estimate": KitPrice;
  "GET /api/v1/kits": KitPage;
  "GET /api/v1/kits/{kit_id}": Kit;
  "POST /api/v1/kits/{kit_id}/pick": Kit;
  "POST /api/v1/kits/{kit_id}/cancel": Kit;
  "GET /api/v1/jobs": JobPage;
  "GET /api/v1/jobs/groups": JobGroups;
  "GET /api/v1/jobs/{job_id}": JobRecord;
  "GET /api/v1/jobs/{job_id}/why": Why;
  "GET /api/v1/jobs/{job_id}/logs": JobLogs;
  "POST /api/v1/jobs/{job_id}/cancel": Cancellation;
  "POST /api/v1/jobs/{job_id}/retry": Retried;
  "POST /api/v1/jobs/{job_id}/share": ShareLink;
  "POST /api/v1/events": Accepted;
  "POST /api/v1/brands": Brand;
  "GET /api/v1/brands": BrandPage;
  "GET /api/v1/brands/{brand_id}": Brand;
  "PATCH /api/v1/brands/{brand_id}": Brand;
  "GET /api/v1/brands/{brand_id}/assets": AssetPage;
  "GET /api/v1/assets/{asset_id}": Asset;
  "POST /api/v1/assets/{asset_id}/select": Asset;
  "GET /api/v1/products": Products;
  "GET /api/v1/credits": Credits;
  "GET /api/v1/costs": Costs;
  "POST /api/v1/bulk-estimate": BulkEstimate;
  "POST /api/v1/bulk": BulkAction;
  "GET /api/v1/bulk": BulkPage;
  "GET /api/v1/bulk/{bulk_id}": BulkAction;
  "GET /api/v1/bulk/{bulk_id}/items": BulkItems;
  "POST /api/v1/bulk/{bulk_id}/{change}": BulkAction;
  "POST /api/v1/admin/bulk-estimate": BulkEstimate;
  "POST /api/v1/admin/bulk": BulkAction;
  "GET /api/v1/admin/bulk": BulkPage;
  "GET /api/v1/admin/bulk/{bulk_id}": BulkAction;
  "GET /api/v1/admin/bulk/{bulk_id}/items": BulkItems;
  "POST /api/v1/admin/bulk/{bulk_id}/{change}": BulkAction;
  "GET /api/v1/admin/queues": Queues;
  "POST /api/v1/admin/queues/{queue}/pause": QueueStatus;
  "POST /api/v1/admin/queues/{queue}/resume": QueueStatus;
  "GET /api/v1/admin/dlq": DeadLetterPage;
  "POST /api/v1/admin/dlq/replay": Replays;
  "POST /api/v1/admin/dlq/purge": Purged;
  "POST /api/v1/admin/credits": Granted;
  "GET /api/v1/admin/alerts": Alerts;
  "POST /api/v1/admin/alerts/{alert_id}/ack": AlertRecord;
  "POST /api/v1/admin/alerts/mute": AlertMutes;
  "POST /api/v1/admin/alerts/unmute": AlertMutes;
  "GET /api/v1/admin/incidents": Incidents;
  "GET /api/v1/admin/incidents/{name}": Incident;
  "GET /api/v1/admin/overview": Overview;
  "GET /api/v1/admin/workers": Workers;
  "POST /api/v1/admin/workers/drain": Workers;
  "POST /api/v1/admin/workers/scale": Scaled;
  "GET /api/v1/admin/jobs/{job_id}/calls": ProviderCalls;
  "POST /api/v1/admin/probes": Probes;
  "POST /api/v1/admin/keys": MadeKey;
  "GET /api/v1/admin/keys": Keys;
  "POST /api/v1/admin/keys/{key}/revoke": KeyRecord;
  "GET /api/v1/admin/audit": AuditPage;
  "GET /api/v1/me": Me;
  "GET /api/v1/webhooks/default/secret": WebhookSecret;
  "GET /api/v1/webhooks/endpoints": WebhookEndpoints;
  "POST /api/v1/webhooks/endpoints": MadeWebhookEndpoint;
  "POST /api/v1/webhooks/endpoints/{endpoint_id}/enable": WebhookEndpoint;
  "GET /api/v1/webhooks/endpoints/{endpoint_id}/secret": WebhookSecret;
  "POST /api/v1/webhooks/test": WebhookDelivery;
  "GET /api/v1/webhooks/deliveries": WebhookDeliveries;
  "GET /api/v1/webhooks/deliveries/{delivery_id}": WebhookDelivery;
  "POST /api/v1/webhooks/deliveries/{delivery_id}/replay": WebhookDelivery;
  "POST /api/v1/webhooks/listen": MadeWebhookEndpoint;
  "POST /api/v1/webhooks/listen/{endpoint_id}": WebhookMessages;
  "POST /api/v1/webhooks/listen/{endpoint_id}/{delivery_id}": WebhookDelivery;
  "POST /api/v1/tokens": BrowserToken;
  "GET /api/v1/shares": Shares;
  "POST /api/v1/shares/{share_id}/revoke": Share;
  "GET /api/v1/shared/{token}": SharedJob;
  "GET /health": Health;
  "GET /health/live": Liveness;
  "POST /api/v1/session": SignInLink;
}
