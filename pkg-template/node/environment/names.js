// @ts-check
/** The names of environment variables that are read; docs/environment.md lists them. */

/** The service name of IBM's Key Protect SDK, as its variables begin. */
export const PREFIX = 'IBM_KEY_PROTECT_API_'

/** What follows the prefix, in a credentials file too. */
export const PROPERTIES = /** @type {const} */ ([
  'AUTH_TYPE',
  'APIKEY',
  'REFRESH_TOKEN',
  'USERNAME',
  'PASSWORD',
  'BEARER_TOKEN',
  'CLIENT_ID',
  'CLIENT_SECRET',
  'AUTH_URL',
  'URL',
  'AUTH_DISABLE_SSL',
  'DISABLE_SSL',
])

/** Keys of the CLI before those of Terraform. */
export const API_KEYS = ['IBMCLOUD_API_KEY', 'BLUEMIX_API_KEY', 'IC_API_KEY', 'BM_API_KEY']
export const REFRESH_TOKENS = ['IC_IAM_REFRESH_TOKEN', 'IBMCLOUD_IAM_REFRESH_TOKEN']
export const IBMID = /** @type {const} */ (['IBMID', 'IBMID_PASSWORD'])
export const CF_USERS = ['CF_USERNAME', 'CF_USER']
export const CF = /** @type {const} */ ({
  api: 'CF_API_URL',
  password: 'CF_PASSWORD',
  origin: 'CF_ORIGIN',
  refreshToken: 'CF_REFRESH_TOKEN',
})

/** Set, they say why nothing was found: what they hold can't be signed in with yet. */
export const NOT_YET = [
  'IC_IAM_TOKEN',
  'IBMCLOUD_IAM_TOKEN',
  'IBMCLOUD_CR_TOKEN',
  'IBMCLOUD_CR_PROFILE',
  'CF_ACCESS_TOKEN',
  'CF_CLIENT_ID',
]

export const REGIONS = ['IC_REGION', 'IBMCLOUD_REGION', 'BM_REGION', 'BLUEMIX_REGION']

/** Addresses, by their names in the option `endpoints`. */
export const ADDRESSES = /** @type {const} */ ({
  iam: 'IBMCLOUD_IAM_API_ENDPOINT',
  keyProtect: 'IBMCLOUD_KP_API_ENDPOINT',
  resourceController: 'IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT',
  cf: 'IBMCLOUD_CF_API_ENDPOINT',
  uaa: 'IBMCLOUD_UAA_ENDPOINT',
})

export const CREDENTIALS_FILE = 'IBM_CREDENTIALS_FILE'
export const SERVICES = 'VCAP_SERVICES'
export const ONLY = 'KEYPROTECT_AUTH_SOURCES'
export const IBMCLOUD_FOLDER = 'IBMCLOUD_CONFIG_HOME'
export const IBMCLOUD_HOMES = ['IBMCLOUD_HOME', 'BLUEMIX_HOME']
export const CF_HOME = 'CF_HOME'
