import { IamTokenManager } from 'ibm-cloud-sdk-core'

const { IAM_URL, IAM_API_KEY } = process.env
const manager = new IamTokenManager({ apikey: IAM_API_KEY, url: IAM_URL })
console.log((await manager.getToken()).length)
