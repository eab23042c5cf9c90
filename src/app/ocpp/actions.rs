//! What each version of OCPP knows.

use crate::app::json::Object;

/// Versions of OCPP, a bit each.
pub type Versions = u8;

/// OCPP 1.6, with the security extensions of its white paper.
pub const V16: Versions = 1;
/// OCPP 2.0.1.
pub const V201: Versions = 2;
/// OCPP 2.1.
pub const V21: Versions = 4;

/// The version that one of our names of subprotocols stands for; `None` for those before, of which nothing is
/// known here.
pub fn version(subprotocol: &str) -> Option<Versions> {
    match subprotocol {
        "ocpp1.6" => Some(V16),
        "ocpp2.0.1" => Some(V201),
        "ocpp2.1" => Some(V21),
        _ => None,
    }
}

/// The name of the first of some versions.
pub fn name(versions: Versions) -> &'static str {
    match versions {
        _ if versions & V16 != 0 => "OCPP 1.6",
        _ if versions & V201 != 0 => "OCPP 2.0.1",
        _ => "OCPP 2.1",
    }
}

/// The versions that have this action.
pub fn of_action(action: &str) -> Versions {
    find(action).map_or(0, |(_, versions, _)| *versions)
}

/// Whether what is asked for shows that this is an action of OCPP, which a name that others have does not.
pub fn shows_itself(action: &str, asked: &Object<'_>) -> bool {
    find(action).is_some_and(|(_, _, own)| own.split_ascii_whitespace().any(|name| asked.get(name).is_some()))
}

/// Whether what an action gave shows the same: times and lists that only a central system or a station gives.
pub fn is_shown_by_result(action: &str, given: &Object<'_>) -> bool {
    let own = match action {
        "BootNotification" | "Heartbeat" => "currentTime",
        "GetConfiguration" => "configurationKey",
        "GetLocalListVersion" => "listVersion",
        _ => return false,
    };
    given.get(own).is_some()
}

fn find(action: &str) -> Option<&'static (&'static str, Versions, &'static str)> {
    ACTIONS.binary_search_by(|(name, ..)| (*name).cmp(action)).ok().map(|at| &ACTIONS[at])
}

/// The versions that have this error code.
pub fn of_error(code: &str) -> Versions {
    ERRORS.iter().find(|(name, _)| *name == code).map_or(0, |(_, versions)| *versions)
}

/// The codes of errors; that of occurrences is spelled in two ways, in implementations of all versions.
const ERRORS: &[(&str, Versions)] = &[
    ("FormatViolation", V201 | V21),
    ("FormationViolation", V16),
    ("GenericError", V16 | V201 | V21),
    ("InternalError", V16 | V201 | V21),
    ("MessageTypeNotSupported", V201 | V21),
    ("NotImplemented", V16 | V201 | V21),
    ("NotSupported", V16 | V201 | V21),
    ("OccurenceConstraintViolation", V16 | V201 | V21),
    ("OccurrenceConstraintViolation", V16 | V201 | V21),
    ("PropertyConstraintViolation", V16 | V201 | V21),
    ("ProtocolError", V16 | V201 | V21),
    ("RpcFrameworkError", V201 | V21),
    ("SecurityError", V16 | V201 | V21),
    ("TypeConstraintViolation", V16 | V201 | V21),
];

/// The actions, in order, and members of what is asked for of which one shows that it is this action: what a
/// call has to have, and other protocols with an action of that name have not. There are none of those that
/// ask for nothing, or have nothing but what everybody has.
const ACTIONS: &[(&str, Versions, &str)] = &[
    ("AFRRSignal", V21, "signal"),
    ("AdjustPeriodicEventStream", V21, ""),
    ("Authorize", V16 | V201 | V21, "idTag idToken"),
    ("BatterySwap", V21, "batteryData"),
    ("BootNotification", V16 | V201 | V21, "chargePointVendor chargePointModel chargingStation reason"),
    ("CancelReservation", V16 | V201 | V21, "reservationId"),
    ("CertificateSigned", V16 | V201 | V21, "certificateChain"),
    ("ChangeAvailability", V16 | V201 | V21, "connectorId operationalStatus"),
    ("ChangeConfiguration", V16, ""),
    ("ChangeTransactionTariff", V21, "transactionId"),
    ("ClearCache", V16 | V201 | V21, ""),
    ("ClearChargingProfile", V16 | V201 | V21, "chargingProfileId chargingProfileCriteria"),
    ("ClearDERControl", V21, ""),
    ("ClearDisplayMessage", V201 | V21, ""),
    ("ClearTariffs", V21, ""),
    ("ClearVariableMonitoring", V201 | V21, ""),
    ("ClearedChargingLimit", V201 | V21, "chargingLimitSource"),
    ("ClosePeriodicEventStream", V21, ""),
    ("CostUpdated", V201 | V21, "totalCost"),
    ("CustomerInformation", V201 | V21, "requestId"),
    ("DataTransfer", V16 | V201 | V21, "vendorId"),
    ("DeleteCertificate", V16 | V201 | V21, "certificateHashData"),
    ("DiagnosticsStatusNotification", V16, "status"),
    ("ExtendedTriggerMessage", V16, "requestedMessage"),
    ("FirmwareStatusNotification", V16 | V201 | V21, "status"),
    ("Get15118EVCertificate", V201 | V21, "iso15118SchemaVersion exiRequest"),
    ("GetBaseReport", V201 | V21, "reportBase"),
    ("GetCertificateChainStatus", V21, ""),
    ("GetCertificateStatus", V201 | V21, "ocspRequestData"),
    ("GetChargingProfiles", V201 | V21, "chargingProfile"),
    ("GetCompositeSchedule", V16 | V201 | V21, "duration"),
    ("GetConfiguration", V16, ""),
    ("GetDERControl", V21, ""),
    ("GetDiagnostics", V16, "location"),
    ("GetDisplayMessages", V201 | V21, "requestId"),
    ("GetInstalledCertificateIds", V16 | V201 | V21, "certificateType"),
    ("GetLocalListVersion", V16 | V201 | V21, ""),
    ("GetLog", V16 | V201 | V21, "logType"),
    ("GetMonitoringReport", V201 | V21, "requestId"),
    ("GetPeriodicEventStream", V21, ""),
    ("GetReport", V201 | V21, "componentVariable componentCriteria"),
    ("GetTariffs", V21, ""),
    ("GetTransactionStatus", V201 | V21, ""),
    ("GetVariables", V201 | V21, "getVariableData"),
    ("Heartbeat", V16 | V201 | V21, ""),
    ("InstallCertificate", V16 | V201 | V21, "certificateType"),
    ("LogStatusNotification", V16 | V201 | V21, "status"),
    ("MeterValues", V16 | V201 | V21, "meterValue"),
    ("NotifyAllowedEnergyTransfer", V21, ""),
    ("NotifyChargingLimit", V201 | V21, "chargingLimit"),
    ("NotifyCustomerInformation", V201 | V21, "seqNo"),
    ("NotifyDERAlarm", V21, ""),
    ("NotifyDERStartStop", V21, ""),
    ("NotifyDisplayMessages", V201 | V21, "requestId"),
    ("NotifyEVChargingNeeds", V201 | V21, "chargingNeeds"),
    ("NotifyEVChargingSchedule", V201 | V21, "chargingSchedule"),
    ("NotifyEvent", V201 | V21, "generatedAt seqNo"),
    ("NotifyMonitoringReport", V201 | V21, "generatedAt seqNo"),
    ("NotifyPeriodicEventStream", V21, ""),
    ("NotifyPriorityCharging", V21, "transactionId"),
    ("NotifyReport", V201 | V21, "generatedAt seqNo"),
    ("NotifySettlement", V21, ""),
    ("NotifyWebPaymentStarted", V21, ""),
    ("OpenPeriodicEventStream", V21, ""),
    ("PublishFirmware", V201 | V21, "checksum"),
    ("PublishFirmwareStatusNotification", V201 | V21, "status"),
    ("PullDynamicScheduleUpdate", V21, "chargingProfileId"),
    ("RemoteStartTransaction", V16, "idTag"),
    ("RemoteStopTransaction", V16, "transactionId"),
    ("ReportChargingProfiles", V201 | V21, "chargingLimitSource"),
    ("ReportDERControl", V21, ""),
    ("RequestBatterySwap", V21, ""),
    ("RequestStartTransaction", V201 | V21, "idToken remoteStartId"),
    ("RequestStopTransaction", V201 | V21, "transactionId"),
    ("ReservationStatusUpdate", V201 | V21, "reservationId"),
    ("ReserveNow", V16 | V201 | V21, "idTag idToken"),
    ("Reset", V16 | V201 | V21, ""),
    ("SecurityEventNotification", V16 | V201 | V21, "timestamp"),
    ("SendLocalList", V16 | V201 | V21, "listVersion versionNumber"),
    ("SetChargingProfile", V16 | V201 | V21, "csChargingProfiles chargingProfile"),
    ("SetDERControl", V21, ""),
    ("SetDefaultTariff", V21, ""),
    ("SetDisplayMessage", V201 | V21, ""),
    ("SetMonitoringBase", V201 | V21, "monitoringBase"),
    ("SetMonitoringLevel", V201 | V21, "severity"),
    ("SetNetworkProfile", V201 | V21, "configurationSlot"),
    ("SetVariableMonitoring", V201 | V21, "setMonitoringData"),
    ("SetVariables", V201 | V21, "setVariableData"),
    ("SignCertificate", V16 | V201 | V21, "csr"),
    ("SignedFirmwareStatusNotification", V16, "status"),
    ("SignedUpdateFirmware", V16, "firmware"),
    ("StartTransaction", V16, "idTag meterStart"),
    ("StatusNotification", V16 | V201 | V21, "connectorId evseId"),
    ("StopTransaction", V16, "meterStop"),
    ("TransactionEvent", V201 | V21, "transactionInfo triggerReason"),
    ("TriggerMessage", V16 | V201 | V21, "requestedMessage"),
    ("UnlockConnector", V16 | V201 | V21, "connectorId evseId"),
    ("UnpublishFirmware", V201 | V21, "checksum"),
    ("UpdateDynamicSchedule", V21, "chargingProfileId"),
    ("UpdateFirmware", V16 | V201 | V21, "retrieveDate firmware"),
    ("UsePriorityCharging", V21, "transactionId"),
    ("VatNumberValidation", V21, "vatNumber"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(ACTIONS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(of_action("Heartbeat"), V16 | V201 | V21);
        assert_eq!((of_action("StartTransaction"), of_action("TransactionEvent")), (V16, V201 | V21));
        assert_eq!((of_action("Beat"), of_error("Oops")), (0, 0));
    }
}
