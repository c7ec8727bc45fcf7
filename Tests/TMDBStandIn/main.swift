import Foundation
import StandIns

// Serves the stand-in until its input ends or it is told to stop; the first line that it prints
// is its address.
let standIn = try TMDBStandIn()
FileHandle.standardOutput.write(Data((standIn.baseURL + "\n").utf8))
while readLine() != nil {}
standIn.stop()
